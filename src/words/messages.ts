import { MintwardenError, unreachable } from '../domain/errors.ts';
import type { Grant } from '../domain/grant.ts';
import { isOperator, parseUserId, type UserId } from '../domain/ids.ts';
import type { Channel, Message } from '../domain/message.ts';
import type { Document } from './document.ts';
import { deliveryWaiting } from './messages/delivery-waiting.ts';
import { endedNotice, endedReport } from './messages/ended.ts';
import { historyNews } from './messages/history.ts';
import { identityTrusted } from './messages/identity-trusted.ts';
import { mintFailed } from './messages/mint-failed.ts';
import { minted } from './messages/minted.ts';
import { notice } from './messages/notice.ts';
import { policyChanged } from './messages/policy-changed.ts';
import { revoked, revokedBySubject } from './messages/revoked.ts';
import { suspended } from './messages/suspended.ts';
import { incidentMessage } from './messages/incident.ts';
import { tokenMessage } from './messages/token.ts';
import { upstreamAlive } from './messages/upstream-alive.ts';

/** What a message needs to know beyond its own row and the grant's. */
export type MessageContext = {
  readonly now: number;
  /** The base URL holders use, without a trailing slash. */
  readonly gatewayUrl: string;
  /** The name of the homeserver. */
  readonly homeserver: string;
  /** The scoped token itself; for the kind `token` alone. A secret. */
  readonly token?: string;
  /** How long a token waits for its recipient, and how long its message stays. */
  readonly deliverWithinMs: number;
  readonly redactAfterMs: number;
  /** Who may give commands, and so may be asked. */
  readonly admins: readonly UserId[];
  /** How far the subject's notice got; for the kind `minted`. */
  readonly notice?: 'accepted' | 'waiting';
  /** By what way it goes, where that is settled: in a server-notices room nobody can answer. */
  readonly channel?: Channel;
};

/** A message in words: the document, whom it rings, and whether clients treat it as a bot's aside. */
export type Rendered = {
  readonly document: Document;
  readonly mentions: readonly UserId[];
  readonly msgtype: 'm.text' | 'm.notice';
};

/**
 * The words of a message, made when it is sent. What must be acted on rings: the subject's notice, the token,
 * and what an administrator has to look at.
 * @throws MintwardenError `internal` where the grant, or for the kind `token` the token, is not handed in
 */
export function renderMessage(message: Message, grant: Grant | null, context: MessageContext): Rendered {
  const { body } = message;
  if (body.kind === 'mint-failed') return aside(mintFailed(body, grant, context.now));
  if (body.kind === 'identity-trusted') return ringing(identityTrusted(body, context.admins), context.admins);
  if (body.kind === 'policy-changed') return ringing(policyChanged(body), context.admins);
  if (body.kind === 'history') return ringing(historyNews(body.news, context.now), context.admins);
  if (body.kind === 'trouble') {
    const rings = message.to.kind === 'dm' ? [message.to.userId] : context.admins;
    return body.overAt === null
      ? ringing(incidentMessage(body, context.now), rings)
      : aside(incidentMessage(body, context.now));
  }
  if (grant === null)
    throw new MintwardenError('internal', `A message of the kind ${body.kind} has no grant.`);
  const minter = parseUserId(grant.minter);
  const minters = minter === null ? [] : [minter];
  switch (body.kind) {
    case 'minted':
      return aside(minted(body, grant, context));
    case 'notice':
      return ringing(notice(message, grant, context), [grant.subject]);
    case 'token':
      return ringing(
        tokenMessage(message, grant, context),
        isOperator(grant.recipient) ? [] : [grant.recipient],
      );
    case 'ended-notice':
      return aside(endedNotice(body, grant, context));
    case 'revoked':
      return aside(revoked(body, grant, context.now));
    case 'revoked-by-subject':
      return message.to.kind === 'control'
        ? aside(revokedBySubject(grant, context.now, 'control'), minters)
        : aside(revokedBySubject(grant, context.now, 'dm'));
    case 'ended-report':
      return aside(endedReport(body, grant, context.now), body.cause === 'expired' ? [] : minters);
    case 'delivery-waiting':
      return aside(deliveryWaiting(body, grant, context.now), minters);
    case 'upstream-alive':
      return body.why === 'unkillable'
        ? ringing(upstreamAlive(body, grant, context.now), context.admins)
        : aside(upstreamAlive(body, grant, context.now), minters);
    case 'suspended':
      return aside(suspended(body, grant, context.now));
    default:
      return unreachable(body);
  }
}

function aside(document: Document, mentions: readonly UserId[] = []): Rendered {
  return { document, mentions, msgtype: 'm.notice' };
}

function ringing(document: Document, mentions: readonly UserId[]): Rendered {
  return { document, mentions, msgtype: 'm.text' };
}
