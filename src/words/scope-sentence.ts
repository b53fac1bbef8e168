import { type Permission, sortPermissions, splitPermission } from '../domain/permission.ts';
import { CAPABILITY } from '../domain/capability.ts';
import type { Grant } from '../domain/grant.ts';
import { typeAllowed, writes } from '../domain/scope-checks.ts';
import { allows } from '../domain/scope.ts';
import { joined, line } from './build.ts';
import type { Line } from './document.ts';
import { safeInline } from './safe-text.ts';
import { limitWords } from './scope-limits.ts';
import { encryptionWords, listed, roomWords } from './scope-rooms.ts';
import { relative, utc } from './time.ts';

/** What a sentence about a grant needs to know of it. */
export type Scoped = Pick<Grant, 'scope' | 'rooms' | 'expiresAt'>;

/** More parts than this are told as a list. */
const SHORT_PARTS = 4;

function typeWords({ type, key }: { readonly type: string | null; readonly key: string | null }): Line {
  const of = type === null ? 'any type' : safeInline(type);
  return [key === null ? of : key === '' ? `${of} (empty key)` : `${of} (key ${safeInline(key)})`];
}

/** `send m.room.message and m.sticker`: a verb for each capability, with all of its types. */
function verbs(permissions: readonly Permission[]): readonly Line[] {
  const parts = sortPermissions(permissions).map(splitPermission);
  return [...new Set(parts.map(({ name }) => name))].map((name): Line => {
    const typed = parts.filter((each) => each.name === name && (each.type !== null || each.key !== null));
    const whole = parts.some((each) => each.name === name && each.type === null && each.key === null);
    if (whole || typed.length === 0) return [CAPABILITY[name].ofAnyType ?? CAPABILITY[name].verb];
    const verb = name === 'account-data' ? 'read and write the account data' : CAPABILITY[name].verb;
    return line`${verb} ${listed(typed.map(typeWords))}`;
  });
}

/** What it can do in its rooms. Reading comes first, since most grants do nothing else. */
function roomParts(grant: Scoped): readonly Line[] {
  const { scope } = grant;
  const there = scope.can.filter(
    (permission) => CAPABILITY[splitPermission(permission).name].where === 'rooms',
  );
  if (there.length === 0 || scope.rooms.length === 0) return [['can read nothing']];
  const others = there.filter((permission) => permission !== 'read');
  // Who reads some types alone may not even see that something was said.
  const encryption = typeAllowed(scope, 'read', 'm.room.encrypted') ? encryptionWords(grant) : null;
  const sees = encryption === null ? [] : [encryption];
  if (others.length === there.length) {
    const only = allows(scope, 'read') ? [] : [['cannot read']];
    return [line`can ${joined(verbs(others))} in ${roomWords(grant)}`, ...sees, ...only];
  }
  return [
    line`can read ${roomWords(grant)}`,
    ...sees,
    ...(others.length === 0 ? [] : [line`can also ${joined(verbs(others))} there`]),
  ];
}

function parts(grant: Scoped): readonly Line[] {
  const { scope } = grant;
  const account = scope.can.filter(
    (permission) => CAPABILITY[splitPermission(permission).name].where === 'account',
  );
  return [
    ...roomParts(grant),
    ...(account.length === 0 ? [] : [line`beyond rooms it can ${joined(verbs(account))}`]),
    ...limitWords(scope),
    ...(writes(scope) ? [] : [['cannot send']]),
  ];
}

function when({ expiresAt }: Scoped, now: number): string {
  const how = `${utc(expiresAt, now)}, ${relative(expiresAt, now)}`;
  return now < expiresAt ? `until ${how}` : `ended ${how}`;
}

/**
 * What a holder may do, without the time: `can read 1 room, “Ops” (!x…); it is encrypted: sees who and when,
 * not what; cannot send`.
 */
export function canSentence(grant: Scoped): Line {
  return parts(grant).flatMap((part, index): Line => (index === 0 ? part : ['; ', ...part]));
}

/**
 * The scope as a sentence, the same wherever a grant is spoken of: what it can do, and `until 14:05 UTC, in 1
 * h`.
 */
export function scopeSentence(grant: Scoped, now: number): Line {
  return [...canSentence(grant), `; ${when(grant, now)}`];
}

/** The same, a point each, where one sentence would be too long to read; null where it is not. */
export function scopeList(grant: Scoped, now: number): readonly Line[] | null {
  const points = parts(grant);
  return points.length > SHORT_PARTS ? [...points, [when(grant, now)]] : null;
}
