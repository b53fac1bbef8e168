import type { Grant } from '../../domain/grant.ts';
import type { MessageBody } from '../../domain/message.ts';
import { line, list, paragraph, pill } from '../build.ts';
import type { Document } from '../document.ts';
import { scopeSentence } from '../scope-sentence.ts';
import { id, undo } from '../text/en.ts';

/** To the control room: the subject was locked or unlocked. */
export function suspended(
  body: Extract<MessageBody, { kind: 'suspended' }>,
  grant: Grant,
  now: number,
): Document {
  const head = body.on
    ? line`Grant ${id(grant)} is suspended: the account of ${pill(grant.subject)} was locked. Its token is refused until the account is unlocked.`
    : line`Grant ${id(grant)} works again: the account of ${pill(grant.subject)} was unlocked.`;
  return [paragraph(head), list(line`It ${scopeSentence(grant, now)}.`, undo(grant))];
}
