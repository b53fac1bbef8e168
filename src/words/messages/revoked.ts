import type { Grant } from '../../domain/grant.ts';
import type { MessageBody } from '../../domain/message.ts';
import { code, line, list, paragraph, pill } from '../build.ts';
import type { Document } from '../document.ts';
import { canSentence } from '../scope-sentence.ts';
import { again, id } from '../text/en.ts';
import { moment } from '../time.ts';

/** To the control room, in answer to `!revoke`. */
export function revoked(
  body: Extract<MessageBody, { kind: 'revoked' }>,
  grant: Grant,
  now: number,
): Document {
  const upstream =
    body.upstream === 'dead'
      ? ['The homeserver’s own token behind it is dead too.']
      : line`The homeserver’s own token behind it is being logged out; ${code(`!show ${grant.id}`)} says when that is confirmed.`;
  return [
    paragraph(
      line`Grant ${id(grant)} for ${pill(grant.subject)} is revoked. Its token stopped working at ${moment(grant.endedAt ?? now, now)}.`,
    ),
    list(upstream, line`What it could do: ${canSentence(grant)}.`, again(grant)),
  ];
}

/** To the subject in their DM, or to the control room: the subject ended it. */
export function revokedBySubject(grant: Grant, now: number, where: 'dm' | 'control'): Document {
  const when = moment(grant.endedAt ?? now, now);
  if (where === 'dm') {
    return [
      paragraph(line`Done: you ended grant ${id(grant)}. Its token stopped working at ${when}.`),
      list(line`What it could do: ${canSentence(grant)}.`, [
        'The administrators are told that you ended it.',
      ]),
    ];
  }
  return [
    paragraph(
      line`${pill(grant.subject)} ended grant ${id(grant)}, which spoke for them. Its token stopped working at ${when}.`,
    ),
    list(line`What it could do: ${canSentence(grant)}.`, ['Talk to them before you make another one.']),
  ];
}
