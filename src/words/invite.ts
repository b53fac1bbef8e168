import type { Grant } from '../domain/grant.ts';
import { parseUserId } from '../domain/ids.ts';
import { writes } from '../domain/scope-checks.ts';
import { allows } from '../domain/scope.ts';
import { safeInline, shortened } from './safe-text.ts';
import { utc } from './time.ts';

/** The longest invite reason, in characters: clients show it before joining, and some cut it. */
const MAX_INVITE_REASON = 250;

function maker(grant: Grant): string {
  const userId = parseUserId(grant.minter);
  return userId === null ? 'An administrator' : shortened(safeInline(userId), 70);
}

/**
 * Why the bot invites the subject, in plain text: seen before joining, so it already says what the notice
 * says. The maker's and the subject's words are not in it: the reader does not know us yet.
 */
export function inviteReason(grant: Grant, now: number): string {
  const { rooms, by } = grant.scope;
  const reads = allows(grant.scope, 'read');
  const can = writes(grant.scope) ? (reads ? 'read and write in' : 'write in') : reads ? 'read' : 'act in';
  const where =
    rooms === 'all'
      ? by === undefined
        ? 'all your rooms'
        : 'some of your rooms'
      : rooms.length === 1
        ? '1 of your rooms'
        : `${rooms.length} of your rooms`;
  const text = `${maker(grant)} made an access token (${grant.id}) that can ${can} ${where} as you until ${utc(grant.expiresAt, now)}. Join to see who holds it and why, and to end it.`;
  return shortened(text, MAX_INVITE_REASON);
}

/** Why the bot invites somebody who is to get a token and is not its subject. */
export function deliveryInviteReason(grant: Grant, now: number): string {
  const text = `${maker(grant)} made you an access token (${grant.id}), good until ${utc(grant.expiresAt, now)}. Join this encrypted chat to receive it.`;
  return shortened(text, MAX_INVITE_REASON);
}

/** Why the bot invites the first administrator before there is any token. */
export function welcomeReason(): string {
  return 'I am Mintwarden. Tokens that you make in the control room reach you in this encrypted chat: join it, so that the first one need not wait.';
}

/** Why the bot invites an administrator where the control room cannot be used. */
export function incidentReason(): string {
  return 'I am Mintwarden. Something is wrong that I cannot tell you in the control room: join this encrypted chat to see what.';
}
