import { code, line, list, paragraph, pill } from '../../words/build.ts';
import type { Line } from '../../words/document.ts';
import { actorName, id, undo } from '../../words/text/en.ts';
import { scopeSentence } from '../../words/scope-sentence.ts';
import { required } from '../arguments.ts';
import { defineCommand } from '../command.ts';
import { GRANT_ID, OUT_FLAG } from '../command-description.ts';
import { waitingReason } from '../waiting-reason.ts';

/** `!deliver`: tries again to hand over a token that waits. */
export const deliverCommand = defineCommand({
  name: 'deliver',
  place: 'control',
  summary: 'try again to hand over a token that waits',
  parameters: [GRANT_ID],
  flags: [],
  examples: ['!deliver 7F3K9Q'],
  mutates: true,
  allowedWhenExposed: false,
  needs: ['findGrant', 'deliver'],
  async run({ findGrant, deliver, now }, args) {
    const grant = await findGrant(required(args.positionals, 'ID'));
    if (args.values.has(OUT_FLAG.name)) return { outboxReplyFor: grant.id };
    const { delivery, why } = await deliver(grant);
    const about = line`It speaks for ${pill(grant.subject)} and ${scopeSentence(grant, now)}.`;
    const who = actorName(grant.recipient);
    if (delivery === 'sent')
      return [
        paragraph(line`The token of grant ${id(grant)} has been sent to ${who}.`),
        list(about, undo(grant)),
      ];
    const because: Line = why === null ? ['I am trying now.'] : waitingReason(why, grant.recipient);
    return [
      paragraph(line`The token of grant ${id(grant)} still waits for ${who}: ${because}`),
      list(about, line`How far it got: ${code(`!show ${grant.id}`)}`, undo(grant)),
    ];
  },
});
