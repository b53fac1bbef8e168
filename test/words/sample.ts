import type { Grant } from '../../src/domain/grant.ts';
import type { EventId, GrantId, MessageId, RoomId, UserId } from '../../src/domain/ids.ts';
import type { Message, MessageBody } from '../../src/domain/message.ts';

export const NOW = Date.parse('2026-11-21T13:05:00Z');
export const HOUR = 3_600_000;
export const ALICE = '@alice:example.org' as UserId;
export const ADMIN = '@ada:example.org' as UserId;
export const BOB = '@bob:example.org' as UserId;
export const OPS = '!ops:example.org' as RoomId;
export const LOBBY = '!_dDn1kut5YSer-wBSqNyTgKfvXlO4ZJ2r' as RoomId;

export function grantWith(some: Partial<Grant> = {}): Grant {
  return {
    id: '7F3K9Q' as GrantId,
    revision: 2,
    subject: ALICE,
    minter: ADMIN,
    recipient: ADMIN,
    scope: { v: 1, rooms: [OPS], can: ['read'] },
    rooms: [{ roomId: OPS, name: 'Ops', encrypted: true }],
    reason: 'weekly report',
    ttlMs: HOUR,
    createdAt: NOW,
    expiresAt: NOW + HOUR,
    state: 'live',
    suspended: false,
    endedAt: null,
    endedBy: null,
    endCause: null,
    failure: null,
    tokenHash: '',
    sealedToken: null,
    delivery: 'waiting',
    command: '$cmd' as EventId,
    nextActionAt: null,
    ...some,
  };
}

export function messageWith(body: MessageBody, some: Partial<Message> = {}): Message {
  return {
    id: 'm1' as MessageId,
    revision: 1,
    grantId: '7F3K9Q' as GrantId,
    to: { kind: 'control', replyTo: null },
    body,
    after: null,
    state: 'waiting',
    channel: null,
    createdAt: NOW,
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
    ...some,
  };
}
