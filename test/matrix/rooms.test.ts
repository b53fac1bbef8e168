import { describe, expect, test } from 'vitest';
import type { RoomId, UserId } from '../../src/domain/ids.ts';
import { controlRoomCreationBody } from '../../src/matrix/accounts.ts';
import { toControlRoom } from '../../src/matrix/control-room.ts';
import { dmUserOf, dmCreationBody, toDm } from '../../src/matrix/dm-room.ts';
import { MEGOLM, toRoomState } from '../../src/matrix/room-state.ts';
import type { HomeserverClient } from '../../src/matrix/homeserver.ts';
import { checkOnlyRecipient, checkRoom, send } from '../../src/matrix/send.ts';

const [BOT, ALICE, BOB] = ['@bot:x', '@alice:x', '@bob:x'] as unknown as [UserId, UserId, UserId];
const ROOM = '!r' as RoomId;

function state(type: string, content: object, stateKey = '', sender: string = BOT) {
  return { event_id: `$${type}${stateKey}`, type, state_key: stateKey, sender, origin_server_ts: 1, content };
}
const member = (userId: string, membership: string) => state('m.room.member', { membership }, userId);
const created = state('m.room.create', { 'org.mintwarden.dm': ALICE });
const encrypted = state('m.room.encryption', { algorithm: MEGOLM });

describe('a DM', () => {
  test('of exactly the two', () => {
    const room = toRoomState([
      created,
      encrypted,
      member(BOT, 'join'),
      member(ALICE, 'invite'),
      member(BOB, 'leave'),
    ]);
    expect(toDm(ROOM, room, BOT, ALICE)).toEqual({
      roomId: ROOM,
      encrypted: true,
      membership: 'invite',
      justTheTwo: true,
    });
    expect(dmUserOf(room, BOT)).toBe(ALICE);
  });

  test.each(['join', 'invite'])('a third who may read it (%s)', (membership) => {
    const room = toRoomState([created, member(BOT, 'join'), member(ALICE, 'join'), member(BOB, membership)]);
    expect(toDm(ROOM, room, BOT, ALICE)).toMatchObject({ encrypted: false, justTheTwo: false });
  });

  test('a stranger in place of the person', () => {
    const room = toRoomState([created, member(BOT, 'join'), member(BOB, 'join')]);
    expect(toDm(ROOM, room, BOT, ALICE)).toMatchObject({ membership: 'none', justTheTwo: false });
  });

  test('nobody else can make a room count as one', () => {
    expect(
      dmUserOf(toRoomState([state('m.room.create', { 'org.mintwarden.dm': ALICE }, '', ALICE)]), BOT),
    ).toBeNull();
    expect(dmUserOf(toRoomState([state('m.room.create', { 'org.mintwarden.dm': 5 })]), BOT)).toBeNull();
    expect(dmUserOf(toRoomState([]), BOT)).toBeNull();
  });

  test('is made with nothing for the other person to change, and nobody invited without a reason', () => {
    const body = dmCreationBody(ALICE, true);
    expect(body).toMatchObject({
      preset: 'private_chat',
      is_direct: true,
      power_level_content_override: { users_default: 0, state_default: 100 },
    });
    for (const right of ['invite', 'kick', 'ban', 'redact'])
      expect(body['power_level_content_override']).toMatchObject({ [right]: 100 });
    expect(body).not.toHaveProperty('invite');
    expect(body['power_level_content_override']).not.toHaveProperty('users');
  });
});

describe('a secret goes where only its recipient is', () => {
  test('whatever the homeserver says whose DM it is', () => {
    const eve = '@eve:x';
    const theirs = [created, encrypted, member(BOT, 'join'), member(ALICE, 'join')];
    expect(() => checkOnlyRecipient(toRoomState(theirs), BOT, ALICE)).not.toThrow();
    for (const state of [
      [...theirs, member(eve, 'invite')],
      [created, member(BOT, 'join'), member(eve, 'join')],
      [created, member(ALICE, 'join'), member(eve, 'join')],
      [member(BOT, 'join'), member(ALICE, 'join'), member(eve, 'join')],
      [created, member(BOT, 'join')],
    ]) {
      expect(() => checkOnlyRecipient(toRoomState(state), BOT, ALICE)).toThrow(
        expect.objectContaining({ code: 'room-unusable' }),
      );
    }
  });
});

test('a homeserver that says at the last moment that the DM is no DM, and holds a third, gets no token', async () => {
  const eve = '@eve:x';
  const done: string[] = [];
  const forged = [
    state('m.room.create', {}),
    encrypted,
    member(BOT, 'join'),
    member(ALICE, 'join'),
    member(eve, 'join'),
  ];
  const homeserver = {
    requestList: async () => forged,
    request: async (_method: string, path: string) => void done.push(path),
  } as unknown as HomeserverClient;
  const encryptor = {
    keySharing: () => 'identity' as const,
    encrypt: async () => void done.push('encrypt') as never,
  };
  const sender = {
    homeserver,
    encryptor,
    userId: BOT,
    queueByRoom: (_roomId: string, work: () => Promise<never>) => work(),
  } as never;
  const content = { body: 'mwt_x', html: 'mwt_x', mentions: [], replyTo: null, msgtype: 'm.text' } as const;
  const options = {
    transactionId: 't',
    marker: 't',
    expect: 'encrypted',
    audience: 'cross-signed',
    only: ALICE,
  } as const;
  await expect(send(sender, ROOM, content, options)).rejects.toMatchObject({ code: 'room-unusable' });
  expect(done).toEqual([]);
});

describe('what may be sent where', () => {
  const plainRoom = toRoomState([created]);
  const encryptedRoom = toRoomState([created, encrypted]);
  const oddRoom = toRoomState([created, state('m.room.encryption', { algorithm: 'm.odd' })]);
  const emptied = toRoomState([created, state('m.room.encryption', {})]);

  test.each([
    ['encrypted, into a plain room', plainRoom, 'encrypted', 'every-device', 'conflict'],
    ['encrypted, into a room of another algorithm', oddRoom, 'encrypted', 'every-device', 'conflict'],
    ['encrypted, into a room whose encryption was emptied', emptied, 'encrypted', 'every-device', 'conflict'],
    ['plain, into an encrypted room', encryptedRoom, 'plain', 'every-device', 'conflict'],
    ['plain, into a room whose encryption was emptied', emptied, 'plain', 'every-device', 'conflict'],
    ['for signed devices, in the clear', plainRoom, 'plain', 'cross-signed', 'internal'],
  ] as const)('not %s', (_name, room, expected, audience, code) => {
    expect(() => checkRoom(room, { expect: expected, audience })).toThrow(expect.objectContaining({ code }));
  });

  test('the rest', () => {
    expect(() => checkRoom(encryptedRoom, { expect: 'encrypted', audience: 'cross-signed' })).not.toThrow();
    expect(() => checkRoom(plainRoom, { expect: 'plain', audience: 'every-device' })).not.toThrow();
  });
});

describe('the control room', () => {
  test('defaults are the specification’s', () => {
    expect(toControlRoom(ROOM, toRoomState([member(BOT, 'join')]), BOT)).toMatchObject({
      botJoined: true,
      encrypted: false,
      joinRule: 'invite',
      guestsAllowed: false,
      worldReadable: false,
      joined: [BOT],
    });
  });

  test('from room version 12 on, the first admin is a creator and creators stand in no power levels', () => {
    const body = controlRoomCreationBody('Mint', BOT, [ALICE, BOB], 12);
    expect(body).toMatchObject({
      creation_content: { additional_creators: [ALICE], 'org.mintwarden.control': true },
      power_level_content_override: { users: { [BOB]: 100 } },
      invite: [ALICE, BOB],
    });
    expect((body['power_level_content_override'] as { users: object }).users).toEqual({ [BOB]: 100 });
  });

  test('before it, all of them stand there', () => {
    const body = controlRoomCreationBody('Mint', BOT, [ALICE], 11);
    expect(body['creation_content']).not.toHaveProperty('additional_creators');
    expect(body).toMatchObject({ power_level_content_override: { users: { [BOT]: 100, [ALICE]: 100 } } });
  });
});
