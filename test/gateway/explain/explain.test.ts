import { describe, expect, test } from 'vitest';
import type { Grant } from '../../../src/domain/grant.ts';
import type { RoomId } from '../../../src/domain/ids.ts';
import type { Scope } from '../../../src/domain/scope.ts';
import { explain } from '../../../src/gateway/explain/explain.ts';
import { ALICE, DEV, grantOf, OPS, SECRET } from '../support/grants.ts';
import { stage, TOKEN } from '../support/stage.ts';

const V3 = '/_matrix/client/v3';
const HELLO = '{"msgtype":"m.text","body":"hello"}';
const grant = (can: Scope['can'], more: Partial<Scope> = {}, of: Partial<Grant> = {}) =>
  grantOf([OPS], { ...of, scope: { v: 1, rooms: [OPS], can, ...more } });
const asked = (
  given: Grant,
  method: string,
  target: string,
  body: string | null = null,
  rooms: ReadonlySet<RoomId> | null = new Set([OPS]),
) => explain({ method, target, body }, given, rooms, Date.now());

describe('yes', () => {
  test('says what is asked of the homeserver, and what is shown', () => {
    const said = asked(grant(['read']), 'get', `${V3}/rooms/${OPS}/messages?dir=b&limit=5&odd=1`);
    expect(said).toMatchObject({ passes: 'yes', operation: 'getRoomEvents', status: null, lacks: null });
    expect(said.asked).toBe(
      `GET /_matrix/client/v3/rooms/${encodeURIComponent(OPS)}/messages, with dir, limit`,
    );
    expect(said.shown).toContain('events of this room');
  });

  test.each([
    [`https://matrix.example.org${V3}/joined_rooms`, 'getJoinedRooms'],
    [`HTTPS://matrix.example.org:8448${V3}/sync?timeout=0`, 'sync'],
    [`_matrix/client/r0/sync`, 'sync'],
    [` ${V3}/joined_rooms#there `, 'getJoinedRooms'],
  ])('reads %s', (target, operation) =>
    expect(asked(grant(['read']), 'GET', target)).toMatchObject({ passes: 'yes', operation }),
  );

  test('what is answered here asks nothing', () =>
    expect(asked(grant(['read']), 'GET', `${V3}/account/whoami`)).toMatchObject({
      passes: 'yes',
      asked: null,
    }));

  test.each([
    ['GET', '/joined_rooms', 'not JSON'],
    ['PUT', `/user/${ALICE}/rooms/${OPS}/tags/u.work`, ''],
    ['POST', `/rooms/${OPS}/leave`, ''],
  ])('%s %s: a body that it does not take is not looked at', (method, path, body) =>
    expect(asked(grant(['read', 'tags', 'leave']), method, `${V3}${path}`, body).passes).not.toBe('no'),
  );

  test('a message, where the scope lets it be in clear', () => {
    const said = asked(
      grant(['send', 'plaintext']),
      'PUT',
      `${V3}/rooms/${OPS}/send/m.room.message/1`,
      HELLO,
    );
    expect(said).toMatchObject({ passes: 'yes', operation: 'sendMessage' });
  });
});

describe('no', () => {
  test.each<[string, Scope['can'], string, string, string | null, object]>([
    [
      'a capability that is missing is named',
      ['read'],
      'PUT',
      `/rooms/${OPS}/send/m.room.message/1`,
      HELLO,
      { status: 403, lacks: 'send', operation: 'sendMessage' },
    ],
    [
      'also where the room is not in scope',
      ['read'],
      'PUT',
      `/rooms/${SECRET}/send/m.room.message/1`,
      HELLO,
      { status: 403, lacks: 'send' },
    ],
    [
      'a room that is not in scope',
      ['read'],
      'GET',
      `/rooms/${SECRET}/messages`,
      null,
      { status: 403, lacks: null, why: [expect.stringContaining(SECRET), expect.anything()] },
    ],
    [
      'another user’s filter',
      ['read'],
      'GET',
      '/user/@bob:hs.test/filter/1',
      null,
      { status: 403, why: [expect.stringContaining('@alice:hs.test'), expect.anything()] },
    ],
    [
      'what is never delegable',
      ['read'],
      'POST',
      '/logout/all',
      '{}',
      { status: 403, why: ['No token may do that, whatever its scope.', expect.anything()] },
    ],
    ['what has no endpoint', ['read'], 'GET', '/nothing/of/this', null, { status: 404, operation: null }],
    ['sliding sync without a device', ['read'], 'POST', '/../unstable/x', '{}', { status: 400 }],
    ['a path that can be read in two ways', ['read'], 'GET', '/rooms/..%2F/messages', null, { status: 400 }],
    [
      'a body that is none',
      ['send'],
      'PUT',
      `/rooms/${OPS}/send/m.room.message/1`,
      '{"a":1,"a":2}',
      { status: 400 },
    ],
    [
      'an edit without its capability',
      ['send', 'plaintext'],
      'PUT',
      `/rooms/${OPS}/send/m.room.message/1`,
      '{"m.new_content":{},"m.relates_to":{"rel_type":"m.replace","event_id":"$e"}}',
      { status: 403, lacks: 'edit' },
    ],
    [
      'a call for everybody',
      ['send', 'plaintext'],
      'PUT',
      `/rooms/${OPS}/send/m.room.message/1`,
      '{"body":"@room"}',
      { status: 403, lacks: null },
    ],
    ['a method nobody serves', ['read'], 'PATCH', '/sync', null, { status: 405 }],
  ])('%s', (_, can, method, path, body, expected) => {
    expect(asked(grant(can), method, `${V3}${path}`, body)).toMatchObject({
      passes: 'no',
      asked: null,
      ...expected,
    });
  });

  test('sliding sync, for lack of a device', () => {
    const said = asked(
      grant(['read']),
      'POST',
      '/_matrix/client/unstable/org.matrix.simplified_msc3575/sync',
      '{}',
    );
    expect(said).toMatchObject({ passes: 'no', status: 404, operation: 'slidingSync' });
    expect(said.why[0]).toContain('device');
  });

  test('the endpoint rules', () => {
    const rules = [[{ verdict: 'deny' as const, on: `GET ${V3}/sync` }]];
    expect(asked(grant(['read'], { rules }), 'GET', '/_matrix/client/r0/sync')).toMatchObject({
      passes: 'no',
      status: 403,
      operation: 'sync',
    });
  });

  test.each([
    ['ended', { state: 'ended' }, 401],
    ['past its time', { expiresAt: 1 }, 401],
    ['suspended', { suspended: true }, 401],
  ] as const)('a grant that is %s', (_, of, status) => {
    expect(asked(grant(['read'], {}, of), 'GET', `${V3}/sync`)).toMatchObject({
      passes: 'no',
      status,
      operation: null,
    });
  });
});

describe('it depends', () => {
  test('whose address the second half of an upload is for', () => {
    const said = asked(grant(['upload']), 'PUT', '/_matrix/media/v3/upload/hs.test/abc', 'bytes');
    expect(said).toMatchObject({ passes: 'depends', operation: 'uploadContentToMXC' });
  });

  test('on the body, where none was said', () => {
    const said = asked(grant(['react']), 'PUT', `${V3}/rooms/${OPS}/send/m.reaction/1`);
    expect(said.passes).toBe('depends');
    expect(said.why.join(' ')).toContain('empty body');
  });

  test('on the room, where the rooms are not known here', () => {
    const said = asked(grantOf('all'), 'GET', `${V3}/rooms/${DEV}/messages`, null, null);
    expect(said.passes).toBe('depends');
    expect(said.why[0]).toContain(DEV);
    expect(asked(grantOf('all'), 'GET', `${V3}/sync`, null, null).passes).toBe('yes');
    expect(
      asked(grantOf('all'), 'PUT', `${V3}/rooms/${DEV}/send/m.room.message/1`, HELLO, null),
    ).toMatchObject({
      passes: 'no',
      lacks: 'send',
    });
  });

  test('on encryption, on events that are named, on who shares a room', () => {
    const encrypted = grant(['send'], {}, { rooms: [{ roomId: OPS, name: null, encrypted: true }] });
    expect(asked(encrypted, 'PUT', `${V3}/rooms/${OPS}/send/m.room.message/1`, HELLO).why[0]).toContain(
      'encrypted when the token was made',
    );
    expect(asked(grant(['redact']), 'PUT', `${V3}/rooms/${OPS}/redact/$e/1`, '{}').passes).toBe('depends');
    expect(asked(grant(['read']), 'GET', `${V3}/profile/@bob:hs.test`).why[0]).toContain('@bob:hs.test');
    expect(asked(grant(['read']), 'GET', `${V3}/profile/${ALICE}`).passes).toBe('yes');
  });
});

test('nothing of the query or the body is in what is said: a token pasted there stays where it is', () => {
  for (const target of [
    `${V3}/sync?access_token=${TOKEN}`,
    `${V3}/joined_rooms?x=${TOKEN}`,
    `${V3}/rooms/${OPS}/messages?from=${TOKEN}`,
  ]) {
    for (const body of [null, `{"body":"${TOKEN}"}`, TOKEN]) {
      expect(JSON.stringify(asked(grant(['read', 'send']), 'GET', target, body))).not.toContain(TOKEN);
    }
  }
});

test('what is said is what the gateway does', async () => {
  const cans: Scope['can'][] = [
    ['read'],
    ['send', 'plaintext'],
    ['react'],
    ['read', 'send', 'plaintext', 'edit', 'redact'],
  ];
  const requests: [string, string, string | null][] = [
    ['GET', `${V3}/joined_rooms`, null],
    ['GET', `${V3}/account/whoami`, null],
    ['GET', `${V3}/rooms/${OPS}/state/m.room.topic`, null],
    ['GET', `${V3}/rooms/${SECRET}/state/m.room.topic`, null],
    ['GET', `${V3}/rooms/${OPS}/messages?dir=x`, null],
    ['PUT', `${V3}/rooms/${OPS}/send/m.room.message/1`, HELLO],
    ['PUT', `${V3}/rooms/${OPS}/send/m.room.message/2`, '{"body":"@room"}'],
    ['PUT', `${V3}/rooms/${SECRET}/send/m.room.message/3`, HELLO],
    ['POST', `${V3}/logout/all`, '{}'],
    ['GET', `${V3}/devices/X`, null],
    ['POST', `${V3}/keys/upload`, '{}'],
    ['DELETE', `${V3}/sync`, null],
    ['GET', `${V3}/room_keys/version`, null],
    ['POST', '/_matrix/client/v4/sync', '{}'],
    ['GET', '/_synapse/admin/v2/users', null],
  ];
  for (const can of cans) {
    const given = grant(can);
    await using s = await stage({ rooms: [OPS], grant: { scope: given.scope } });
    s.homeserver.answer(({ path }) =>
      path.endsWith('/joined_rooms')
        ? { joined_rooms: [OPS] }
        : path.includes('/send/')
          ? { event_id: '$sent' }
          : {},
    );
    for (const [method, target, body] of requests) {
      const said = asked(given, method, target, body);
      const got = await s.ask(method, target, body === null ? {} : { body });
      const label = `${can.join()} ${method} ${target}`;
      if (said.passes === 'yes')
        expect([label, got.status < 400 || got.body['errcode'] === 'M_NOT_FOUND']).toEqual([label, true]);
      else expect([label, got.status]).toEqual([label, said.status]);
      if (said.lacks !== null) expect(got.headers.get('www-authenticate')).toContain(`scope="${said.lacks}"`);
      if (said.asked === null && said.passes === 'no')
        expect(s.homeserver.seen.filter(({ url }) => url.includes(encodeURIComponent(SECRET)))).toEqual([]);
    }
  }
}, 20_000);
