import { describe, expect, test } from 'vitest';
import { MintwardenError } from '../../../src/domain/errors.ts';
import type { GrantId } from '../../../src/domain/ids.ts';
import { ALICE, OPS, SECRET } from '../support/grants.ts';
import { INVITED, KNOWN, peopledStage } from '../support/peopled-room.ts';
import { BOB, inRoom, V3, writesAt } from '../support/writing-room.ts';
import { settled } from '../../support/wait.ts';

/** Who is in a room: the subject, by `join`, `leave` and `knock`, and others, by user id. */
const ALL = ['read', 'join', 'leave', 'knock', 'invite', 'kick', 'ban', 'unban'];
const at = (act: string, room: string = OPS) => inRoom(room, act);
const who = (user: unknown, more: object = {}) => JSON.stringify({ user_id: user, ...more });
const UP = (room: string, act: string) => `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/${act}`;

describe('what is granted is done, rewritten by the gateway', () => {
  test.each<[string, readonly string[], string, string, string, object, object]>([
    [
      'a join',
      ['join'],
      at('join', INVITED),
      '{"reason":"hi"}',
      UP(INVITED, 'join'),
      { reason: 'hi' },
      { room_id: INVITED },
    ],
    [
      'a join without a body',
      ['join'],
      `${V3}/join/${INVITED}`,
      '',
      UP(INVITED, 'join'),
      {},
      { room_id: INVITED },
    ],
    ['a leave', ['leave'], at('leave'), '{"reason":"bye"}', UP(OPS, 'leave'), { reason: 'bye' }, {}],
    ['the rejection of an invite', ['leave'], at('leave', INVITED), '', UP(INVITED, 'leave'), {}, {}],
    ['a forget', ['leave'], at('forget'), '{"x":1}', UP(OPS, 'forget'), {}, {}],
    [
      'a knock',
      ['knock'],
      `${V3}/knock/${KNOWN}`,
      '{"reason":"me"}',
      `/_matrix/client/v3/knock/${encodeURIComponent(KNOWN)}`,
      { reason: 'me' },
      { room_id: KNOWN },
    ],
    [
      'an invite',
      ['invite'],
      at('invite'),
      who('@eve:hs.test'),
      UP(OPS, 'invite'),
      { user_id: '@eve:hs.test' },
      {},
    ],
    [
      'a kick',
      ['kick'],
      at('kick'),
      who(BOB, { reason: 'x' }),
      UP(OPS, 'kick'),
      { user_id: BOB, reason: 'x' },
      {},
    ],
    [
      'the taking back of an invite',
      ['kick'],
      at('kick'),
      who('@dave:hs.test'),
      UP(OPS, 'kick'),
      { user_id: '@dave:hs.test' },
      {},
    ],
    [
      'the refusal of a knock',
      ['kick'],
      at('kick'),
      who('@fay:hs.test'),
      UP(OPS, 'kick'),
      { user_id: '@fay:hs.test' },
      {},
    ],
    ['a ban', ['ban'], at('ban'), who(BOB), UP(OPS, 'ban'), { user_id: BOB }, {}],
    [
      'a ban of who is not there',
      ['ban'],
      at('ban'),
      who('@mallory:hs.test'),
      UP(OPS, 'ban'),
      { user_id: '@mallory:hs.test' },
      {},
    ],
    [
      'the lifting of a ban',
      ['unban'],
      at('unban'),
      who('@carol:hs.test'),
      UP(OPS, 'unban'),
      { user_id: '@carol:hs.test' },
      {},
    ],
  ])('%s', async (_, can, path, body, seen, sent, answer) => {
    await using s = await peopledStage(can as never);
    const got = await s.ask(
      'POST',
      `${path}?via=evil.test&server_name=evil.test&user_id=@x:y`,
      body === '' ? {} : { body },
    );
    expect([got.status, got.body]).toEqual([200, answer]);
    expect(writesAt(s.homeserver)).toEqual([{ method: 'POST', path: seen, url: seen, body: sent }]);
    for (const { url } of s.homeserver.seen) expect(url).not.toContain('evil');
  });

  test('whatever else stands in the body stays here', async () => {
    await using s = await peopledStage(ALL as never);
    const more = {
      membership: 'ban',
      room_id: SECRET,
      state_key: '@eve:hs.test',
      content: { membership: 'ban' },
      third_party_signed: {},
      is_direct: true,
      redact_events: true,
      'org.matrix.msc4293.redact_events': true,
      via: ['evil.test'],
      reason: 'r',
    };
    await s.ask('POST', at('invite'), { body: who('@eve:hs.test', more) });
    await s.ask('POST', at('kick'), { body: who(BOB, more) });
    await s.ask('POST', at('join', INVITED), { body: JSON.stringify({ ...more, user_id: BOB }) });
    await s.ask('POST', at('leave'), { body: JSON.stringify({ ...more, user_id: BOB }) });
    expect(writesAt(s.homeserver).map(({ path, body }) => [path, body])).toEqual([
      [UP(OPS, 'invite'), { user_id: '@eve:hs.test', reason: 'r' }],
      [UP(OPS, 'kick'), { user_id: BOB, reason: 'r' }],
      [UP(INVITED, 'join'), { reason: 'r' }],
      [UP(OPS, 'leave'), { reason: 'r' }],
    ]);
  });
});

describe('nothing else is done', () => {
  test.each<[string, readonly string[], string, string, number]>([
    ['a join of another room', ALL, at('join', SECRET), '{}', 403],
    ['a join of an alias', ALL, `${V3}/join/%23ops:hs.test`, '{}', 403],
    ['a join of an alias by the other path', ALL, at('join', '#ops:hs.test'), '{}', 403],
    ['a join of a room behind another', ALL, `${V3}/join/${OPS}%2F${SECRET}`, '{}', 400],
    ['a join with `read` alone', ['read'], at('join', INVITED), '{}', 403],
    ['a join with `knock` and `invite`', ['knock', 'invite'], at('join', INVITED), '{}', 403],
    ['a knock on an alias', ALL, `${V3}/knock/%23ops:hs.test`, '{}', 403],
    ['a knock on another room', ALL, `${V3}/knock/${SECRET}`, '{}', 403],
    ['leaving another room', ALL, at('leave', SECRET), '{}', 403],
    ['forgetting another room', ALL, at('forget', SECRET), '{}', 403],
    ['leaving with `kick` and `join`', ['kick', 'join'], at('leave'), '{}', 403],
    ['an invite to another room', ALL, at('invite', SECRET), who(BOB), 403],
    ['a kick out of another room', ALL, at('kick', SECRET), who(BOB), 403],
    ['a kick with `ban` alone', ['ban'], at('kick'), who(BOB), 403],
    ['a ban with `kick` alone', ['kick'], at('ban'), who(BOB), 403],
    ['an unban with `ban` alone', ['ban'], at('unban'), who('@carol:hs.test'), 403],
    [
      'an invite by e-mail',
      ALL,
      at('invite'),
      '{"medium":"email","address":"eve@evil.test","id_server":"evil.test","id_access_token":"x"}',
      403,
    ],
    [
      'an invite by both, of which Synapse takes the address',
      ALL,
      at('invite'),
      who(BOB, { medium: 'email', address: 'eve@evil.test', id_server: 'evil.test' }),
      403,
    ],
    [
      'an invite that names an identity server alone',
      ALL,
      at('invite'),
      who(BOB, { id_server: 'evil.test' }),
      403,
    ],
    ['an invite of nobody', ALL, at('invite'), '{}', 400],
    ['an invite of a list', ALL, at('invite'), who([BOB]), 400],
    ['an invite of a localpart', ALL, at('invite'), who('bob'), 400],
    ['an invite of an alias', ALL, at('invite'), who('#ops:hs.test'), 400],
    ['a kick of a path', ALL, at('kick'), who('@bob:hs.test/../x'), 400],
    ['a kick with an unseen letter', ALL, at('kick'), who('@bob:hs.test\u0000'), 400],
    ['a kick of the subject', ALL, at('kick'), who(ALICE), 403],
    ['a ban of the subject', ALL, at('ban'), who(ALICE), 403],
    ['an unban of the subject', ALL, at('unban'), who(ALICE), 403],
    ['an invite of the subject', ALL, at('invite'), who(ALICE), 403],
    ['a kick of who is banned, which would let them back', ALL, at('kick'), who('@carol:hs.test'), 403],
    ['a kick of who has left', ALL, at('kick'), who('@eve:hs.test'), 403],
    ['a kick of who never was there', ALL, at('kick'), who('@mallory:hs.test'), 403],
    ['an unban of a member, which would be a kick', ALL, at('unban'), who(BOB), 403],
    ['an unban of who was invited', ALL, at('unban'), who('@dave:hs.test'), 403],
    ['a reason that is a list', ALL, at('ban'), who(BOB, { reason: ['x'] }), 400],
    ['a reason without end', ALL, at('leave'), JSON.stringify({ reason: 'x'.repeat(1_001) }), 400],
    ['a body that is a list', ALL, at('leave'), '[]', 400],
    ['a kick without a body', ALL, at('kick'), '', 400],
    ['a user twice', ALL, at('kick'), `{"user_id":"@dave:hs.test","user_id":"${BOB}"}`, 400],
    ['an own key of a prototype', ALL, at('kick'), `{"__proto__":{"user_id":"${BOB}"}}`, 400],
    ['an act nobody knows', ALL, at('knock'), '{}', 404],
    ['a suffix', ALL, at('kickX'), who(BOB), 404],
    ['an upgrade', ALL, at('upgrade'), '{"new_version":"11"}', 403],
    ['another room made', ALL, `${V3}/createRoom`, '{}', 403],
  ])('%s', async (_, can, path, body, status) => {
    await using s = await peopledStage(can as never);
    const got = await s.ask('POST', path, body === '' ? {} : { body });
    expect(got.status).toBe(status);
    expect(writesAt(s.homeserver)).toEqual([]);
    for (const { method, path: asked } of s.homeserver.seen)
      expect([method, asked]).toEqual([
        'GET',
        expect.stringMatching(/^\/_matrix\/client\/v3\/rooms\/!(?:ops|invited)%3Ahs\.test\/state\//),
      ]);
  });

  test.each(['join', 'leave', 'forget', 'invite', 'kick', 'ban', 'unban'])(
    '%s by a transaction id, which Synapse takes',
    async (act) => {
      await using s = await peopledStage(ALL as never);
      for (const path of [at(`${act}/1`), at(`${act}/1`, SECRET)]) {
        const got = await s.ask('PUT', path, { body: who(BOB) });
        expect(got.status).toBe(403);
      }
      expect(s.homeserver.seen).toEqual([]);
    },
  );

  test('CVE-2020-26257 (GHSA-hxmp-pqch-c8mm, Synapse): the path’s room counts, not the body’s', async () => {
    await using s = await peopledStage(ALL as never);
    expect(
      (await s.ask('POST', at('invite', SECRET), { body: who('@eve:hs.test', { room_id: OPS }) })).status,
    ).toBe(403);
    await s.ask('POST', at('invite'), { body: who('@eve:hs.test', { room_id: SECRET }) });
    expect(JSON.stringify(s.homeserver.seen)).not.toContain('secret:hs.test');
  });

  test('rooms that are outside, that do not exist and aliases are refused in the same words', async () => {
    await using s = await peopledStage(ALL as never);
    const rooms = [SECRET, '!nowhere:hs.test', '#ops:hs.test', '!control:hs.test'];
    const got = await Promise.all(
      ['join', 'leave', 'forget', 'invite', 'kick', 'ban', 'unban'].flatMap((act) =>
        rooms.map((room) => s.ask('POST', at(act, room), { body: who(BOB) })),
      ),
    );
    expect(new Set(got.map(({ status, body }) => JSON.stringify([status, body]))).size).toBe(1);
    expect(s.homeserver.seen).toEqual([]);
  });
});

describe('a join where one is joined', () => {
  test.each([['read'], ['join']])('with `%s` changes nothing and costs nothing', async (can) => {
    await using s = await peopledStage([can] as never);
    for (let i = 0; i < 8; i++) {
      const got = await s.ask('POST', at('join'), {});
      expect([got.status, got.body]).toEqual([200, { room_id: OPS }]);
    }
    expect(writesAt(s.homeserver)).toEqual([]);
  });

  test.each([
    [500, '{}', 502],
    [429, '{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":7}', 429],
    [418, '{}', 503],
  ])('is not taken for granted, nor joined, where the homeserver says %d', async (status, body, told) => {
    await using s = await peopledStage(['join']);
    s.homeserver.answer(
      (_, response) => void response.writeHead(status, { 'content-type': 'application/json' }).end(body),
    );
    expect((await s.ask('POST', at('join'), {})).status).toBe(told);
    expect(writesAt(s.homeserver)).toEqual([]);
  });
});

describe('a scope of all rooms', () => {
  const ROOMS = { rooms: 'all', joined: [OPS] } as const;

  test('opens no room that the subject is not in', async () => {
    await using s = await peopledStage(ALL as never, ROOMS);
    for (const room of [INVITED, SECRET])
      expect((await s.ask('POST', at('join', room), {})).status).toBe(403);
    expect((await s.ask('POST', `${V3}/knock/${KNOWN}`, {})).status).toBe(403);
    expect((await s.ask('POST', at('leave', INVITED), {})).status).toBe(403);
    expect(s.homeserver.seen).toEqual([]);
  });

  test('is smaller after a leave, at once', async () => {
    await using s = await peopledStage(ALL as never, ROOMS);
    s.desk.join('7F3K9Q' as GrantId, []);
    expect((await s.ask('POST', at('leave'), {})).status).toBe(200);
    expect(s.desk.refreshes).toBe(1);
    expect((await s.ask('POST', at('invite'), { body: who(BOB) })).status).toBe(403);
    expect(writesAt(s.homeserver)).toHaveLength(1);
  });

  test('is smaller after a leave also where it was looked at a moment before', async () => {
    await using s = await peopledStage(ALL as never, ROOMS);
    const refresh = s.desk.refreshRooms.bind(s.desk);
    s.desk.refreshRooms = async (id) => {
      // As the real one, which looks at most once a second.
      if (s.desk.refreshes > 0) s.desk.join(id, []);
      return refresh(id);
    };
    expect((await s.ask('POST', at('leave'), {})).status).toBe(200);
    expect(s.desk.refreshes).toBe(2);
    expect((await s.ask('POST', at('invite'), { body: who(BOB) })).status).toBe(403);
  });

  test('a leave that happened is told so, though the rooms cannot be looked up', async () => {
    await using s = await peopledStage(ALL as never, ROOMS);
    s.desk.refreshRooms = () => Promise.reject(new MintwardenError('homeserver-unreachable', 'No.'));
    expect((await s.ask('POST', at('leave'), {})).status).toBe(200);
  });

  test('of rooms named stays what it is, so that one may come back', async () => {
    await using s = await peopledStage(ALL as never);
    expect((await s.ask('POST', at('leave', INVITED), {})).status).toBe(200);
    expect((await s.ask('POST', at('join', INVITED), {})).status).toBe(200);
    expect(s.desk.refreshes).toBe(0);
  });
});

describe('the homeserver’s answer', () => {
  test.each([{}, { room_id: SECRET }, { room_id: 1 }, []])(
    '%j to a join or a knock is not passed on',
    async (answer) => {
      await using s = await peopledStage(ALL as never);
      s.homeserver.answer(({ method }, response) =>
        method === 'POST'
          ? answer
          : void response
              .writeHead(403, { 'content-type': 'application/json' })
              .end('{"errcode":"M_FORBIDDEN"}'),
      );
      expect((await s.ask('POST', at('join', INVITED), {})).status).toBe(502);
      expect((await s.ask('POST', `${V3}/knock/${KNOWN}`, {})).status).toBe(502);
    },
  );

  test.each([400, 403, 404, 500])('of %d is told in words of ours', async (status) => {
    await using s = await peopledStage(ALL as never);
    s.homeserver.answer(({ method }, response) =>
      method === 'GET'
        ? { membership: 'join' }
        : void response
            .writeHead(status, { 'content-type': 'application/json' })
            .end(`{"errcode":"M_BAD_STATE","error":"${SECRET}"}`),
    );
    for (const act of ['invite', 'kick', 'ban', 'leave', 'forget']) {
      const got = await s.ask('POST', at(act), { body: who(BOB) });
      expect([got.status, JSON.stringify(got.body).includes('secret')]).toEqual([
        status === 500 ? 502 : status,
        false,
      ]);
    }
  });

  test('a membership that cannot be told is none', async () => {
    await using s = await peopledStage(ALL as never);
    for (const answer of [{}, [], { membership: ['join'] }, { membership: 'owner' }]) {
      s.homeserver.answer(() => answer);
      for (const act of ['kick', 'unban'])
        expect((await s.ask('POST', at(act), { body: who(BOB) })).status).toBeGreaterThanOrEqual(403);
    }
    expect(writesAt(s.homeserver)).toEqual([]);
  });
});

test('five are done at once, whatever they are; then there is a wait', async () => {
  await using s = await peopledStage([...ALL, 'state:com.example.a'] as never, { limits: {} });
  const statuses: number[] = [];
  for (const act of ['invite', 'ban', 'kick', 'leave'])
    statuses.push((await s.ask('POST', at(act), { body: who(BOB) })).status);
  for (const key of ['a', 'b'])
    statuses.push((await s.ask('PUT', at(`state/com.example.a/${key}`), { body: '{}' })).status);
  expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
  expect(writesAt(s.homeserver)).toHaveLength(5);
});

test('a token that ends while the member is looked up changes nothing', async () => {
  await using s = await peopledStage(ALL as never);
  s.homeserver.answer(() => {
    s.desk.end('7F3K9Q' as GrantId);
    return { membership: 'join' };
  });
  expect((await s.ask('POST', at('kick'), { body: who(BOB) })).status).toBe(401);
  await settled();
  expect(writesAt(s.homeserver)).toEqual([]);
});
