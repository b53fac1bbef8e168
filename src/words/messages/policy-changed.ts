import type { MessageBody } from '../../domain/message.ts';
import { code, line, list, paragraph } from '../build.ts';
import type { Document } from '../document.ts';
import { quoted } from '../safe-text.ts';
import { actorName } from '../text/en.ts';

const LONGEST = 200;

/** To the control room: other policy counts from now on. */
export function policyChanged(body: Extract<MessageBody, { kind: 'policy-changed' }>): Document {
  const changes = body.changes.map(
    ({ key, before, after }) =>
      line`${code(key)}: ${quoted(before, LONGEST)} became ${quoted(after, LONGEST)}`,
  );
  return [
    paragraph(
      line`The policy was changed by ${actorName(body.by)}. It counts from now on; tokens that are live keep what they were granted.`,
    ),
    list(...changes),
  ];
}
