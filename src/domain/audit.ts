import { createHash } from 'node:crypto';
import type { Actor, EventId, GrantId, UserId } from './ids.ts';

/** What can stand in the audit. Closed, and past tense: it has happened, in the same transaction. */
export type AuditAction =
  | 'mint-requested'
  | 'mint-failed'
  | 'minted'
  | 'lease-requested'
  | 'lease-made'
  | 'lease-failed'
  | 'lease-killed'
  | 'lease-orphaned'
  | 'lease-unkillable'
  | 'noticed'
  | 'delivered'
  | 'redacted'
  | 'revoked'
  | 'expired'
  | 'ended'
  | 'suspended'
  | 'resumed'
  | 'identity-pinned'
  | 'policy-changed'
  | 'room-excluded'
  | 'message-abandoned'
  | 'state-held'
  | 'state-lost'
  | 'state-trusted'
  | 'homeserver-restored'
  | 'clock-trusted';

/** One thing that happened. `data` is plain JSON for people and programs, never a secret. */
export type AuditEvent = {
  readonly at: number;
  readonly actor: Actor;
  readonly action: AuditAction;
  readonly grantId: GrantId | null;
  readonly subject: UserId | null;
  readonly command: EventId | null;
  readonly data: Readonly<Record<string, string | number | boolean | null | readonly string[]>>;
};

/** An audit event in its place in the chain. */
export type AuditRow = AuditEvent & {
  readonly seq: number;
  readonly previous: string;
  readonly hash: string;
};

/** What the first row has before it. */
export const CHAIN_START = '0'.repeat(64);

/**
 * JSON with sorted keys, so that the same event always has the same hash (RFC 8785 for the values we use).
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
    entries.sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonicalJson(inner)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}

/** The next row of the chain: its hash covers its place, everything in it and all that came before. */
export function chained(event: AuditEvent, seq: number, previous: string): AuditRow {
  const { at, actor, action, grantId, subject, command, data } = event;
  const hash = createHash('sha256')
    .update(canonicalJson({ seq, previous, at, actor, action, grantId, subject, command, data }))
    .digest('hex');
  return { at, actor, action, grantId, subject, command, data, seq, previous, hash };
}

/**
 * Where a chain stands: its newest row. Known from elsewhere (an anchor), it shows that rows were cut off at
 * the end.
 */
export type ChainHead = { readonly seq: number; readonly hash: string };

/**
 * What is wrong with a chain, at which row; null where it holds. Rows must come in the order of `seq`.
 * Without `head`, rows cut off at the end do not show; rows after `head` are well.
 */
export function chainFault(
  rows: Iterable<AuditRow>,
  head?: ChainHead,
): { readonly seq: number; readonly fault: string } | null {
  let previous = CHAIN_START;
  let expected = 1;
  for (const row of rows) {
    if (row.seq !== expected) return { seq: expected, fault: `row ${expected} is missing` };
    if (row.previous !== previous) return { seq: row.seq, fault: 'it does not follow the row before it' };
    if (chained(row, row.seq, row.previous).hash !== row.hash)
      return { seq: row.seq, fault: 'it was changed after it was written' };
    if (row.seq === head?.seq && row.hash !== head.hash)
      return { seq: row.seq, fault: 'it is not the row that was the newest once' };
    previous = row.hash;
    expected++;
  }
  if (head !== undefined && head.seq >= expected)
    return { seq: expected, fault: `row ${expected} is missing` };
  return null;
}
