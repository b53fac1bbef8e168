import type { Grant } from '../../src/domain/grant.ts';
import type { GrantId, LeaseId, MessageId, RoomId, UserId } from '../../src/domain/ids.ts';
import type { Lease } from '../../src/domain/lease.ts';
import type { Message } from '../../src/domain/message.ts';
import type { Policy } from '../../src/domain/policy.ts';
import { PRESETS } from '../../src/domain/preset.ts';

const HOUR = 3_600_000;
const ALICE = '@alice:example.org' as UserId;
const ADMIN = '@admin:example.org' as UserId;
const OPS = '!ops:example.org' as RoomId;

/** A live grant of one hour, from `createdAt` (now, unless said otherwise), with `overrides` put over it. */
export function buildGrant(overrides: Partial<Grant> = {}): Grant {
  const createdAt = overrides.createdAt ?? Date.now();
  return {
    id: '7F3K9Q' as GrantId,
    revision: 2,
    subject: ALICE,
    minter: ADMIN,
    recipient: ADMIN,
    scope: { v: 1, rooms: [OPS], can: ['read'] },
    rooms: [],
    reason: null,
    ttlMs: HOUR,
    createdAt,
    expiresAt: createdAt + HOUR,
    state: 'live',
    suspended: false,
    endedAt: null,
    endedBy: null,
    endCause: null,
    failure: null,
    tokenHash: '',
    sealedToken: null,
    delivery: 'waiting',
    command: null,
    nextActionAt: null,
    ...overrides,
  };
}

/** A lease as it is first written, good for an hour, with `overrides` put over it. */
export function buildLease(overrides: Partial<Lease> & { grantId: GrantId }): Lease {
  const createdAt = overrides.createdAt ?? Date.now();
  return {
    id: 'lease-1' as LeaseId,
    revision: 1,
    subject: ALICE,
    state: 'asking',
    createdAt,
    validUntil: createdAt + HOUR,
    sealed: null,
    attempts: 0,
    lastProblem: null,
    nextActionAt: null,
    ...overrides,
  };
}

/** A message as it is first written, with `overrides` put over it. */
export function buildMessage(overrides: Partial<Message> = {}): Message {
  return {
    id: 'm1' as MessageId,
    revision: 1,
    grantId: null,
    to: { kind: 'dm', userId: ALICE, replyTo: null },
    body: { kind: 'notice' },
    after: null,
    state: 'waiting',
    channel: null,
    createdAt: Date.now(),
    firstTriedAt: null,
    triedBy: null,
    attempts: 0,
    lastProblem: null,
    giveUpAt: null,
    nextActionAt: null,
    roomId: null,
    eventId: null,
    acceptedAt: null,
    redactAt: null,
    redactedAt: null,
    ...overrides,
  };
}

/** The policy of a default configuration without administrators, with `overrides` put over it. */
export function buildPolicy(overrides: Partial<Policy> = {}): Policy {
  return {
    admins: [],
    defaultTtlMs: HOUR,
    maxTtlMs: 24 * HOUR,
    privilegedSubjects: [],
    protectedSubjects: [],
    reasonRequired: false,
    deliverWithinMs: 900_000,
    redactAfterMs: 600_000,
    leaseMs: 6 * HOUR,
    commandMaxAgeMs: 300_000,
    maxLiveGrants: 100,
    maxLiveGrantsPerSubject: 10,
    presets: new Map(Object.entries(PRESETS)),
    ...overrides,
  };
}
