import { describe, expect, it } from 'vitest';
import {
  authorizeInControlRoom,
  authorizeInDm,
  type ControlRoomContext,
  type DmContext,
} from '../../src/bot/authorization.ts';
import type { EventId, RoomId, UserId } from '../../src/domain/ids.ts';
import type { Incoming } from '../../src/ports/chat.ts';
import { ADA, ALICE, BOB, BOT, CONTROL, dmOf, NOW } from './support/stage.ts';

const encryption = {
  sessionId: 's',
  messageIndex: 3,
  deviceSigned: true,
  masterKey: 'MASTER',
  isReplaced: false,
};
const message: Incoming = {
  roomId: CONTROL,
  eventId: '$1' as EventId,
  sender: ADA,
  body: '!mint',
  html: null,
  replyTo: null,
  isEdit: false,
  sentAt: NOW - 1_000,
  encryption,
};
const room = {
  roomId: CONTROL,
  botJoined: true,
  encrypted: true,
  joinRule: 'invite',
  guestsAllowed: false,
  worldReadable: false,
  joined: [ADA, BOT, BOB],
  invited: [],
  replacedBy: null,
};
const ISSUER = '@mintwarden-issuer:x.org' as UserId;
const context: ControlRoomContext = {
  now: NOW,
  policy: { admins: [ADA], commandMaxAgeMs: 300_000 },
  serverName: 'x.org',
  ownAccounts: [BOT, ISSUER],
  seen: false,
  room,
  pin: { userId: ADA, masterKey: 'MASTER', at: 0 },
};
const mallory = '@ada:evil.org' as UserId;

function why(some: Partial<Incoming>, around: Partial<ControlRoomContext> = {}): string {
  const verdict = authorizeInControlRoom({ ...message, ...some }, { ...context, ...around });
  return verdict.kind === 'accept'
    ? `accept${verdict.exposed === null ? '' : ', exposed'}`
    : `${verdict.kind}: ${verdict.why}`;
}

describe('authority in the control room', () => {
  it('accepts the entitled, and pins a key seen for the first time', () => {
    expect(authorizeInControlRoom(message, context)).toEqual({ kind: 'accept', pin: null, exposed: null });
    const first = authorizeInControlRoom(message, { ...context, pin: null });
    expect(first).toMatchObject({ kind: 'accept', pin: { userId: ADA, masterKey: 'MASTER', at: NOW } });
  });

  it.each<[string, Partial<Incoming>, Partial<ControlRoomContext>, string]>([
    ['plaintext, which any server administrator could write', { encryption: null }, {}, 'refuse: plaintext'],
    [
      'a device the homeserver added',
      { encryption: { ...encryption, deviceSigned: false } },
      {},
      'refuse: unsigned-device',
    ],
    [
      'a master key the homeserver replaced',
      { encryption: { ...encryption, masterKey: 'OTHER' } },
      {},
      'refuse: changed-identity',
    ],
    [
      'one that took the place of the first before any command came',
      { encryption: { ...encryption, isReplaced: true } },
      { pin: null },
      'refuse: changed-identity',
    ],
    [
      'a reset identity, of which no session counts as signed yet',
      { encryption: { ...encryption, masterKey: 'OTHER', deviceSigned: false } },
      {},
      'refuse: changed-identity',
    ],
    [
      'no cross-signing at all',
      { encryption: { ...encryption, masterKey: null } },
      { pin: null },
      'refuse: no-identity',
    ],
    ['an edit', { isEdit: true }, {}, 'refuse: edit'],
    ['an event held back', { sentAt: NOW - 300_001 }, {}, 'refuse: old'],
    ['an event from the future', { sentAt: NOW + 60_001 }, {}, 'refuse: future'],
    ['a replay', {}, { seen: true }, 'ignore: seen'],
    ['a replay in the clear', { encryption: null }, { seen: true }, 'ignore: seen'],
    ['a member who is not permitted', { sender: BOB }, {}, 'refuse: not-permitted'],
    ['one who was permitted and has left', {}, { room: { ...room, joined: [BOT] } }, 'ignore: not-joined'],
    [
      'a namesake from elsewhere',
      { sender: mallory },
      { room: { ...room, joined: [mallory] } },
      'refuse: remote',
    ],
    [
      'a namesake from elsewhere, permitted by mistake',
      { sender: mallory },
      { room: { ...room, joined: [mallory] }, policy: { ...context.policy, admins: [mallory] } },
      'refuse: remote',
    ],
    [
      'the issuer account, which anyone with the operator’s secrets can write as',
      { sender: ISSUER },
      { policy: { ...context.policy, admins: [ISSUER] }, room: { ...room, joined: [ISSUER] } },
      'ignore: own',
    ],
    ['the bot itself', { sender: BOT }, { policy: { ...context.policy, admins: [BOT] } }, 'ignore: own'],
    ['at the edge of old', { sentAt: NOW - 300_000 }, {}, 'accept'],
    ['a clock a little ahead', { sentAt: NOW + 60_000 }, {}, 'accept'],
    ['a room anybody can join', {}, { room: { ...room, joinRule: 'public' } }, 'accept, exposed'],
    ['a room one can knock at', {}, { room: { ...room, joinRule: 'knock' } }, 'accept, exposed'],
    ['a room anybody can read', {}, { room: { ...room, worldReadable: true } }, 'accept, exposed'],
    ['a room open to guests', {}, { room: { ...room, guestsAllowed: true } }, 'accept, exposed'],
    [
      'a room without encryption',
      { encryption: null },
      { room: { ...room, encrypted: false } },
      'accept, exposed',
    ],
    [
      'an old text in a room without encryption',
      { encryption: null, sentAt: NOW - 300_001 },
      { room: { ...room, encrypted: false } },
      'refuse: old',
    ],
    [
      'a text of the future in a room without encryption',
      { encryption: null, sentAt: NOW + 60_001 },
      { room: { ...room, encrypted: false } },
      'refuse: future',
    ],
    [
      'an edit in a room without encryption',
      { encryption: null, isEdit: true },
      { room: { ...room, encrypted: false } },
      'refuse: edit',
    ],
    [
      'a replay in a room without encryption',
      { encryption: null },
      { room: { ...room, encrypted: false }, seen: true },
      'ignore: seen',
    ],
    [
      'a room without encryption, to one who is not permitted',
      { encryption: null, sender: BOB },
      { room: { ...room, encrypted: false } },
      'refuse: not-permitted',
    ],
  ])('%s', (_, some, around, verdict) => expect(why(some, around)).toBe(verdict));

  it('every refusal says what to do', () => {
    const refusals: Partial<Incoming>[] = [
      { encryption: null },
      { isEdit: true },
      { sentAt: 0 },
      { sender: BOB },
      { encryption: { ...encryption, masterKey: 'X' } },
    ];
    for (const some of refusals) {
      const verdict = authorizeInControlRoom({ ...message, ...some }, context);
      expect(verdict.kind === 'refuse' && verdict.next !== null && /[.!]$/.test(verdict.sentence)).toBe(true);
    }
  });
});

describe('authority in a DM', () => {
  const around: DmContext = { ...context, dmRoomId: dmOf(ALICE) };
  const hers: Incoming = { ...message, sender: ALICE, roomId: dmOf(ALICE), encryption: null };
  const verdict = (some: Partial<Incoming>, more: Partial<DmContext> = {}) => {
    const given = authorizeInDm({ ...hers, ...some }, { ...around, ...more });
    return given.kind === 'accept' ? 'accept' : given.why;
  };

  it('is the person’s own, encrypted or not; never another’s, edited, old or replayed', () => {
    expect(verdict({})).toBe('accept');
    expect(verdict({ encryption: { ...encryption, deviceSigned: false } })).toBe('accept');
    expect(verdict({ roomId: '!other:x.org' as RoomId })).toBe('not-their-dm');
    expect(verdict({ sender: BOB }, { dmRoomId: dmOf(BOB) })).toBe('not-their-dm');
    expect(verdict({}, { dmRoomId: null })).toBe('not-their-dm');
    expect(verdict({ isEdit: true })).toBe('edit');
    expect(verdict({ sentAt: NOW - 300_001 })).toBe('old');
    expect(verdict({}, { seen: true })).toBe('seen');
    expect(verdict({ sender: BOT }, { dmRoomId: dmOf(ALICE) })).toBe('own');
  });
});
