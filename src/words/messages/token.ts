import { MintwardenError } from '../../domain/errors.ts';
import type { Grant } from '../../domain/grant.ts';
import type { UserId } from '../../domain/ids.ts';
import type { Message } from '../../domain/message.ts';
import { block, code, line, list, paragraph, pill, strong } from '../build.ts';
import type { Document, Line } from '../document.ts';
import { scopeSentence } from '../scope-sentence.ts';
import { eitherOf, id, reason, revokeCode, whomToAsk } from '../text/en.ts';
import { moment } from '../time.ts';
import { tryItLine } from '../try-it.ts';

function howToEnd(grant: Grant, admins: readonly UserId[], homeserver: string): Line {
  const logout = line`log out with it (${code('POST /_matrix/client/v3/logout')})`;
  if (grant.recipient === grant.subject)
    return line`To end it: write ${revokeCode(grant)} here, or ${logout}.`;
  if (admins.some((admin) => admin === grant.recipient))
    return line`To end it: ${revokeCode(grant)} in the control room, or ${logout}.`;
  return line`To end it: ${logout}, or ask ${eitherOf(whomToAsk(grant.minter, admins, grant.recipient), homeserver)}.`;
}

/**
 * To the recipient, once: the token, and what is needed to use it well. The only document with a secret in
 * it.
 */
export function tokenMessage(
  message: Message,
  grant: Grant,
  context: {
    readonly now: number;
    readonly gatewayUrl: string;
    readonly homeserver: string;
    readonly token?: string;
    readonly admins: readonly UserId[];
    readonly redactAfterMs: number;
  },
): Document {
  const { now, token, gatewayUrl } = context;
  if (token === undefined) throw new MintwardenError('internal', 'The token was not handed in.');
  const removed = moment(message.redactAt ?? now + context.redactAfterMs, now);
  return [
    paragraph(
      line`${strong('Here is your token')} for ${pill(grant.subject)} (grant ${id(grant)}). Keep it like a password: anyone who has it can use it.`,
    ),
    block(token),
    list(
      line`Base URL (in place of that of ${context.homeserver}): ${code(gatewayUrl)}`,
      line`User id: ${code(grant.subject)}`,
      line`It ${scopeSentence(grant, now)}.`,
      reason(grant),
    ),
    paragraph([
      'To try it, paste this into bash or zsh, then paste the token (nothing shows) and press Enter:',
    ]),
    block(tryItLine(gatewayUrl)),
    paragraph(howToEnd(grant, context.admins, context.homeserver)),
    paragraph(
      line`Store the token now: ${strong(`this message is removed at ${removed}`)}, and the token is not shown again.`,
    ),
  ];
}
