import type { Grant } from '../../src/domain/grant.ts';
import type { EventId, GrantId, RoomId, UserId } from '../../src/domain/ids.ts';
import type { Message, MessageBody } from '../../src/domain/message.ts';
import { buildGrant, buildMessage } from '../support/grants.ts';

export const NOW = Date.parse('2026-11-21T13:05:00Z');
export const HOUR = 3_600_000;
export const ALICE = '@alice:example.org' as UserId;
export const ADMIN = '@ada:example.org' as UserId;
export const BOB = '@bob:example.org' as UserId;
export const OPS = '!ops:example.org' as RoomId;
export const LOBBY = '!_dDn1kut5YSer-wBSqNyTgKfvXlO4ZJ2r' as RoomId;

export function grantWith(some: Partial<Grant> = {}): Grant {
  return buildGrant({
    minter: ADMIN,
    recipient: ADMIN,
    rooms: [{ roomId: OPS, name: 'Ops', encrypted: true }],
    reason: 'weekly report',
    createdAt: NOW,
    command: '$cmd' as EventId,
    ...some,
  });
}

export function messageWith(body: MessageBody, some: Partial<Message> = {}): Message {
  return buildMessage({
    grantId: '7F3K9Q' as GrantId,
    to: { kind: 'control', replyTo: null },
    body,
    createdAt: NOW,
    ...some,
  });
}
