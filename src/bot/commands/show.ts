import { speakDuration } from '../../domain/duration.ts';
import type { Grant } from '../../domain/grant.ts';
import type { Lease } from '../../domain/lease.ts';
import type { GrantReport } from '../../lifecycle/report.ts';
import { code, line, list, paragraph, pill } from '../../words/build.ts';
import type { Document, Line } from '../../words/document.ts';
import { canSentence, scopeSentence } from '../../words/scope-sentence.ts';
import { actorName, again, id, reason, undo } from '../../words/text/en.ts';
import { quotedWords } from '../../words/safe-text.ts';
import { moment } from '../../words/time.ts';
import { required } from '../arguments.ts';
import { defineCommand } from '../command.ts';
import { GRANT_ID } from '../command-description.ts';
import { reportData } from '../reply-data.ts';
import { stateText } from '../grant-view.ts';
import { waitingReason } from '../waiting-reason.ts';

const REACH: Record<GrantReport['notice']['reach'], string> = {
  none: 'there was none',
  waiting: 'not sent yet',
  abandoned: 'given up',
  accepted: 'the homeserver has accepted it',
  invited: 'accepted; they are invited to the chat, and have not joined it',
  joined: 'accepted; they have joined the chat',
  read: 'they have read it',
};

const UPSTREAM: Record<Lease['state'], (until: string) => string> = {
  asking: (until) => `asked for, no answer yet; would end at ${until}`,
  alive: (until) => `alive until ${until}`,
  killing: (until) => `being logged out, not confirmed yet; ends by itself at ${until}`,
  dead: () => 'dead',
  orphan: (until) => `may be alive, in nobody’s hands, until ${until}`,
  unkillable: (until) => `could not be logged out; alive until ${until}`,
};

function head(grant: Grant, live: boolean, now: number): Line {
  const what = live ? scopeSentence(grant, now) : canSentence(grant);
  return line`Grant ${id(grant)} speaks for ${pill(grant.subject)}: ${what}.`;
}

function rooms(grant: Grant): readonly Line[] {
  return grant.rooms.map((room) => {
    const name = room.name === null ? '' : `${quotedWords(room.name, 60)}, `;
    return line`Room: ${name}${code(room.roomId)}${room.encrypted ? ', encrypted' : ''}`;
  });
}

function people(grant: Grant, now: number): readonly Line[] {
  return [
    line`Made by ${actorName(grant.minter)} at ${moment(grant.createdAt, now)}, for ${speakDuration(grant.ttlMs)}`,
    line`Recipient: ${actorName(grant.recipient)}`,
    reason(grant),
  ];
}

function delivery(report: GrantReport, now: number): Line {
  const { state, acceptedAt, giveUpAt, problem, redactedAt } = report.delivery;
  if (state === 'cancelled') return ['Token: not delivered, and never will be'];
  if (state === 'sent') {
    const when = acceptedAt === null ? '' : ` at ${moment(acceptedAt, now)}`;
    return [`Token: delivered${when}${redactedAt === null ? '' : '; the message with it has been removed'}`];
  }
  const why =
    problem === null ? ['not sent yet.'] : line`waits: ${waitingReason(problem, report.grant.recipient)}`;
  const until = giveUpAt === null ? '' : ` The grant ends if that lasts until ${moment(giveUpAt, now)}.`;
  return line`Token: ${why}${until}`;
}

function upstream(report: GrantReport, now: number): readonly Line[] {
  const alive = report.leases.filter((lease) => lease.state !== 'dead');
  if (alive.length === 0) return [['Homeserver’s own tokens behind it: none alive']];
  return alive.map((lease) => [
    `Homeserver’s own token behind it: ${UPSTREAM[lease.state](moment(lease.validUntil, now))}`,
  ]);
}

function reportDocument(report: GrantReport, now: number): Document {
  const { grant, notice } = report;
  const live = report.effectiveState !== 'inactive';
  const accepted = notice.acceptedAt === null ? '' : ` (${moment(notice.acceptedAt, now)})`;
  const problem = notice.problem !== null && notice.reach === 'waiting' ? `: ${notice.problem}` : '';
  const failed: readonly Line[] = grant.failure === null ? [] : [[`Why it failed: ${grant.failure}`]];
  return [
    paragraph(head(grant, live, now)),
    list(
      line`State: ${stateText(grant, now)}`,
      ...failed,
      ...rooms(grant),
      ...people(grant, now),
      line`Notice to ${pill(grant.subject)}: ${REACH[notice.reach]}${accepted}${problem}`,
      delivery(report, now),
      ...upstream(report, now),
    ),
    paragraph(live || grant.state === 'minting' ? undo(grant) : again(grant)),
  ];
}

/** `!show`: all there is to know of a grant. */
export const showCommand = defineCommand({
  name: 'show',
  place: 'control',
  summary: 'show all there is to know of a grant',
  parameters: [GRANT_ID],
  flags: [],
  examples: ['!show 7F3K9Q'],
  mutates: false,
  allowedWhenExposed: false,
  needs: ['findGrant', 'reportGrant'],
  async run({ findGrant, reportGrant, now }, args) {
    return reportDocument(await reportGrant(await findGrant(required(args.positionals, 'ID'))), now);
  },
  async data({ findGrant, reportGrant, now }, args) {
    return reportData(await reportGrant(await findGrant(required(args.positionals, 'ID'))), now);
  },
});

/** `show`, in a DM: what the subject may know of a grant that speaks for them. */
export const showOwnCommand = defineCommand({
  name: 'show',
  place: 'dm',
  summary: 'show who made a token that speaks for you, who has it, and why',
  parameters: [GRANT_ID],
  flags: [],
  examples: ['show 7F3K9Q'],
  mutates: false,
  allowedWhenExposed: false,
  needs: ['findOwnGrant', 'reportGrant'],
  async run({ findOwnGrant, reportGrant, now }, args) {
    const grant = await findOwnGrant(required(args.positionals, 'ID'));
    const report = await reportGrant(grant);
    const live = report.effectiveState !== 'inactive';
    const end = live ? [paragraph(undo(grant))] : [];
    const points = list(
      line`State: ${stateText(report.grant, now)}`,
      ...rooms(grant),
      ...people(grant, now),
      delivery(report, now),
    );
    return [paragraph(head(report.grant, live, now)), points, ...end];
  },
});
