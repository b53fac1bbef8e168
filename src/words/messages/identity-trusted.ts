import type { UserId } from '../../domain/ids.ts';
import type { MessageBody } from '../../domain/message.ts';
import { code, line, list, paragraph, pill } from '../build.ts';
import type { Document } from '../document.ts';
import { actorName } from '../text/en.ts';

/** To the control room: an operator confirmed somebody's new cryptographic identity. */
export function identityTrusted(
  body: Extract<MessageBody, { kind: 'identity-trusted' }>,
  admins: readonly UserId[],
): Document {
  const what = admins.includes(body.userId)
    ? 'Their commands count again, and tokens go to their verified sessions.'
    : 'Tokens go to their verified sessions.';
  return [
    paragraph(
      line`A new cryptographic identity of ${pill(body.userId)} was confirmed by ${actorName(body.by)}. ${what}`,
    ),
    list(line`Its key: ${code(body.masterKey)}`, [
      'If nobody here knows of that, ask the operator at once: anyone who holds that key is taken for this person.',
    ]),
  ];
}
