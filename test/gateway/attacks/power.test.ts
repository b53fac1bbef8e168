import { describe, expect, test } from 'vitest';
import { ALICE, OPS, SECRET } from '../support/grants.ts';
import { answerAsPeopled, peopledStage, type Room, TWELVE } from '../support/peopled-room.ts';
import { BOB, inRoom, writesAt } from '../support/writing-room.ts';

/** A ceiling of power: the subject's own power, however great, is not the holder's. */
const CAN = [
  'send',
  'react',
  'edit',
  'redact',
  'redact-others',
  'plaintext',
  'state',
  'invite',
  'kick',
  'ban',
  'unban',
  'join',
  'leave',
  'knock',
];
const USUAL = {
  users: { [ALICE]: 100, [BOB]: 50, '@carol:hs.test': 10 },
  ban: 50,
  kick: 50,
  redact: 50,
  invite: 0,
  state_default: 50,
};
const made = (version: string | undefined, more: object = {}, sender: string = ALICE) => ({
  type: 'm.room.create',
  state_key: '',
  sender,
  room_id: OPS,
  content: { ...(version === undefined ? {} : { room_version: version }), ...more },
});
const USER = (user: string) => JSON.stringify({ user_id: user });

/** What may be asked, and how. */
const ACTIONS = {
  message: ['PUT', inRoom(OPS, 'send/m.room.message/1'), '{"msgtype":"m.text","body":"x"}'],
  reaction: [
    'PUT',
    inRoom(OPS, 'send/m.reaction/1'),
    '{"m.relates_to":{"rel_type":"m.annotation","event_id":"$own","key":"x"}}',
  ],
  redaction: ['PUT', inRoom(OPS, 'redact/$own/1'), '{}'],
  'redaction of others': ['PUT', inRoom(OPS, 'redact/$bobs/1'), '{}'],
  topic: ['PUT', inRoom(OPS, 'state/m.room.topic/'), '{"topic":"x"}'],
  invite: ['POST', inRoom(OPS, 'invite'), USER('@eve:hs.test')],
  kick: ['POST', inRoom(OPS, 'kick'), USER(BOB)],
  'kick of who was invited': ['POST', inRoom(OPS, 'kick'), USER('@dave:hs.test')],
  ban: ['POST', inRoom(OPS, 'ban'), USER(BOB)],
  unban: ['POST', inRoom(OPS, 'unban'), USER('@carol:hs.test')],
} as const;
type Action = keyof typeof ACTIONS;

async function done(
  power: number | undefined,
  room: Room,
  action: Action,
): Promise<{ status: number; written: number }> {
  await using s = await peopledStage(CAN as never, { scope: power === undefined ? {} : { power }, room });
  const [method, path, body] = ACTIONS[action];
  const { status } = await s.ask(method, path, { body });
  return { status, written: writesAt(s.homeserver).length };
}

const eleven: Room = { create: made('11'), levels: USUAL };

describe('a ceiling holds, however powerful the subject is', () => {
  test.each<[string, Room]>([
    ['MSC4289: the creator of a room of version 12', TWELVE],
    [
      'MSC4289: one of its additional creators',
      { create: made('12', { additional_creators: [ALICE] }, BOB), levels: TWELVE.levels },
    ],
    ['an admin by the power levels', eleven],
    [
      'an admin of an old room, which names no version',
      { create: made(undefined, { creator: ALICE }), levels: USUAL },
    ],
    [
      'an admin by text, as old rooms have it',
      {
        create: made('9', { creator: ALICE }),
        levels: { ...USUAL, users: { [ALICE]: '100', [BOB]: ' +50 ' } },
      },
    ],
  ])('%s', async (_, room) => {
    for (const action of [
      'redaction of others',
      'topic',
      'kick',
      'kick of who was invited',
      'ban',
      'unban',
    ] as const)
      expect([action, await done(0, room, action)]).toEqual([action, { status: 403, written: 0 }]);
    for (const action of ['message', 'reaction', 'redaction', 'invite'] as const)
      expect([action, await done(0, room, action)]).toEqual([action, { status: 200, written: 1 }]);
    for (const action of ['kick', 'ban'] as const)
      expect([action, await done(50, room, action)]).toEqual([action, { status: 403, written: 0 }]);
    for (const action of ['topic', 'redaction of others', 'kick of who was invited', 'unban'] as const)
      expect([action, await done(50, room, action)]).toEqual([action, { status: 200, written: 1 }]);
    for (const action of Object.keys(ACTIONS) as Action[]) {
      const creators = action === 'kick' || action === 'ban';
      const fellow = creators && (room.create as { sender: string }).sender === BOB;
      expect([action, (await done(51, room, action)).status]).toEqual([action, fellow ? 403 : 200]);
    }
  });

  test('below nought nothing is left but what takes no power', async () => {
    for (const action of Object.keys(ACTIONS) as Action[])
      expect([action, await done(-1, TWELVE, action)]).toEqual([action, { status: 403, written: 0 }]);
    await using s = await peopledStage(CAN as never, { scope: { power: -1 } });
    for (const [act, room] of [
      ['leave', OPS],
      ['join', '!invited:hs.test'],
    ] as const)
      expect((await s.ask('POST', inRoom(room, act), {})).status).toBe(200);
  });

  test('users of the same power or more are not touched; nor is a creator, whatever the power to kick', async () => {
    expect((await done(50, eleven, 'kick')).status).toBe(403);
    expect((await done(100, eleven, 'kick')).status).toBe(200);
    const bobs = { create: made('12', { additional_creators: [ALICE] }, BOB), levels: { kick: 0, ban: 0 } };
    expect((await done(Number.MAX_SAFE_INTEGER, bobs, 'kick')).status).toBe(403);
    expect((await done(Number.MAX_SAFE_INTEGER, bobs, 'ban')).status).toBe(403);
  });

  test('a room version nobody knows yet has creators as 12 has them', async () => {
    const room = { create: made('org.example.13', {}, BOB), levels: { users: { [ALICE]: 100 } } };
    expect((await done(99, room, 'kick')).status).toBe(403);
  });

  test('a room without power levels has those of the specification', async () => {
    const room = { create: made('10', { creator: ALICE }, BOB) };
    expect((await done(0, room, 'topic')).status).toBe(200);
    expect((await done(0, room, 'kick')).status).toBe(403);
    expect((await done(50, room, 'kick')).status).toBe(200);
  });

  test('without a ceiling the homeserver judges, and nothing is looked up', async () => {
    await using s = await peopledStage(CAN as never);
    expect((await s.ask('PUT', ACTIONS.topic[1], { body: ACTIONS.topic[2] })).status).toBe(200);
    expect(s.homeserver.seen).toHaveLength(1);
  });
});

describe('levels are read as rooms mean them', () => {
  test('CVE-2022-36009 (GHSA-grvv-h2f9-7v9c, Dendrite): `events_default` counts', async () => {
    const room = { create: made('11'), levels: { ...USUAL, events_default: 10 } };
    for (const action of ['message', 'reaction', 'redaction', 'redaction of others'] as const) {
      expect([action, (await done(9, room, action)).status]).toEqual([action, 403]);
    }
    for (const action of ['message', 'reaction', 'redaction'] as const)
      expect([action, (await done(10, room, action)).status]).toEqual([action, 200]);
  });

  test('a level of a type counts before the usual one, for messages, reactions, redactions and state', async () => {
    const events = { 'm.room.message': 20, 'm.reaction': 30, 'm.room.redaction': 60, 'm.room.topic': 0 };
    const room = { create: made('11'), levels: { ...USUAL, events } };
    const statuses = async (power: number) =>
      Promise.all(
        (['message', 'reaction', 'redaction', 'redaction of others', 'topic'] as const).map(
          async (action) => (await done(power, room, action)).status,
        ),
      );
    expect(await statuses(0)).toEqual([403, 403, 403, 403, 200]);
    expect(await statuses(20)).toEqual([200, 403, 403, 403, 200]);
    expect(await statuses(50)).toEqual([200, 200, 403, 403, 200]);
    expect(await statuses(60)).toEqual([200, 200, 200, 200, 200]);
  });

  test('an invite takes what the room asks of it', async () => {
    const room = { create: made('11'), levels: { ...USUAL, invite: 50 } };
    expect((await done(49, room, 'invite')).status).toBe(403);
    expect((await done(50, room, 'invite')).status).toBe(200);
  });

  test.each([null, true, 1.5, [], {}, 'ten', '0x10', ''])(
    'CVE-2022-31152 (GHSA-jhjh-776m-4765, Synapse): a level of %j is more than anybody has',
    async (odd) => {
      const with_ = (more: object) => ({ create: made('11'), levels: { ...USUAL, ...more } });
      expect((await done(100, with_({ state_default: odd }), 'topic')).status).toBe(403);
      expect((await done(100, with_({ events: { 'm.room.message': odd } }), 'message')).status).toBe(403);
      expect((await done(100, with_({ kick: odd }), 'kick')).status).toBe(403);
      expect((await done(100, with_({ users: { [ALICE]: odd } }), 'topic')).status).toBe(403);
    },
  );
});

describe('what cannot be looked up is not done', () => {
  const at = (what: 'create' | 'levels') => (what === 'create' ? 'm.room.create' : 'm.room.power_levels');
  test.each([
    ['create', 500, '{"errcode":"M_UNKNOWN"}', 502],
    ['levels', 500, '{"errcode":"M_UNKNOWN"}', 502],
    ['create', 403, '{"errcode":"M_FORBIDDEN"}', 403],
    ['levels', 403, '{"errcode":"M_FORBIDDEN"}', 403],
    ['create', 404, '{"errcode":"M_NOT_FOUND"}', 503],
    ['levels', 404, 'not found', 503],
    ['levels', 404, '{"errcode":"M_UNRECOGNIZED"}', 503],
    ['levels', 418, '{}', 503],
  ] as const)('%s: %d %s', async (what, status, body, told) => {
    await using s = await peopledStage(CAN as never, { scope: { power: 100 } });
    s.homeserver.answer(({ method, path }, response) => {
      if (path.includes(at(what)))
        return void response.writeHead(status, { 'content-type': 'application/json' }).end(body);
      if (path.includes('m.room.create')) return TWELVE.create;
      if (path.includes('m.room.member')) return { membership: 'join' };
      return method === 'GET' ? TWELVE.levels : { event_id: '$x' };
    });
    for (const action of ['message', 'topic', 'kick'] as const) {
      const [method, path, sent] = ACTIONS[action];
      expect([action, (await s.ask(method, path, { body: sent })).status]).toEqual([action, told]);
    }
    expect(writesAt(s.homeserver)).toEqual([]);
  });

  test.each<[string, unknown]>([
    ['another event', { ...made('11'), type: 'm.room.name' }],
    ['another room’s', { ...made('11'), room_id: SECRET }],
    ['one with a key', { ...made('11'), state_key: 'x' }],
    ['one without a sender', { ...made('11'), sender: 1 }],
    ['its content alone', { room_version: '11', creator: ALICE }],
    ['one with an odd version', { ...made('11'), content: { room_version: 12 } }],
    ['one with odd creators', { ...made('11'), content: { room_version: '12', additional_creators: BOB } }],
    ['one with an odd creator', { ...made('11'), content: { room_version: '12', additional_creators: [1] } }],
    ['a list', []],
  ])('a create event that is %s', async (_, create) => {
    expect(await done(100, { create, levels: USUAL }, 'topic')).toEqual({ status: 503, written: 0 });
  });

  test.each([[[]], ['levels']])('power levels that are %j', async (levels) => {
    expect(await done(100, { create: made('11'), levels }, 'topic')).toEqual({ status: 503, written: 0 });
  });

  test('the room’s power levels are looked up again for each action', async () => {
    await using s = await peopledStage(CAN as never, { scope: { power: 50 }, room: eleven });
    const [method, path, body] = ACTIONS.topic;
    expect((await s.ask(method, path, { body })).status).toBe(200);
    answerAsPeopled(s, { create: made('11'), levels: { ...USUAL, state_default: 51 } });
    expect((await s.ask(method, path, { body })).status).toBe(403);
    expect(writesAt(s.homeserver)).toHaveLength(1);
  });

  test('nothing is looked up in a room outside', async () => {
    await using s = await peopledStage(CAN as never, { scope: { power: 100 } });
    for (const [method, path, body] of Object.values(ACTIONS))
      expect(
        (await s.ask(method, path.replaceAll(encodeURIComponent(OPS), encodeURIComponent(SECRET)), { body }))
          .status,
      ).toBe(403);
    expect(s.homeserver.seen).toEqual([]);
  });
});

describe('power is never taken', () => {
  test.each([0, 50, 100, undefined])('power levels are not set, with a ceiling of %s', async (power) => {
    await using s = await peopledStage([...CAN, 'state:m.room.power_levels'] as never, {
      scope: power === undefined ? {} : { power },
    });
    for (const levels of [{ users: { [BOB]: 100 } }, { ...USUAL, kick: 0 }, USUAL]) {
      const path = inRoom(OPS, 'state/m.room.power_levels/');
      expect((await s.ask('PUT', path, { body: JSON.stringify(levels) })).status).toBe(403);
    }
    expect(s.homeserver.seen).toEqual([]);
  });
});
