import { describe, expect, test } from 'vitest';
import type { Scope } from '../../../src/domain/scope.ts';
import { CATALOGUE } from '../../../src/gateway/endpoints/catalogue.ts';
import { introspection } from '../../../src/gateway/explain/introspection.ts';
import { ALICE, DEV, grantOf, OPS } from '../support/grants.ts';
import { stage, TOKEN } from '../support/stage.ts';

const NOW = 1_000_000;
const told = (scope: Partial<Scope>) => {
  const grant = grantOf([OPS], {
    createdAt: NOW - 1,
    expiresAt: NOW + 5_000,
    scope: { v: 1, rooms: [OPS], can: ['read'], ...scope },
  });
  return introspection({ grant, rooms: new Set([OPS]) }, 'the sentence', null, NOW);
};
const operations = (scope: Partial<Scope>) => told(scope).endpoints.map(({ operation }) => operation);

test('says all of it, and no more: a new field of the grant is not told by itself', () => {
  expect({ ...told({}), endpoints: [] }).toEqual({
    version: 1,
    grant_id: '7F3K9Q',
    user_id: ALICE,
    sentence: 'the sentence',
    created_at: NOW - 1,
    expires_at: NOW + 5_000,
    expires_in_ms: 5_000,
    uses_left: null,
    scope: { rooms: [OPS], can: ['read'] },
    open_rooms: [OPS],
    capabilities: [
      {
        name: 'read',
        type: null,
        state_key: null,
        where: 'rooms',
        writes: false,
        allows: expect.stringContaining('messages'),
      },
    ],
    endpoints: [],
  });
});

test('names each part of the scope, in names that stay', () => {
  const rules = [[{ verdict: 'deny' as const, on: 'GET /_matrix/client/v3/sync', secret: 1 }]];
  const scope = {
    types: ['m.room.message'],
    power: 50,
    rules,
    uses: 3,
    followUpgrades: true as const,
    by: ['@bot:hs.test'] as Scope['by'],
  } as Partial<Scope>;
  expect(
    told({ can: ['send:m.room.*', 'state:m.room.topic:'], ...scope, from: ['10.0.0.0/8'] }),
  ).toMatchObject({
    scope: {
      types: ['m.room.message'],
      power: 50,
      rules: [[{ verdict: 'deny', on: 'GET /_matrix/client/v3/sync' }]],
      uses: 3,
      follow_upgrades: true,
      rooms_by: ['@bot:hs.test'],
      from: ['10.0.0.0/8'],
    },
    capabilities: [
      { name: 'send', type: 'm.room.*', state_key: null },
      { name: 'state', type: 'm.room.topic', state_key: '' },
    ],
  });
  expect(JSON.stringify(told(scope))).not.toContain('secret');
});

describe('the endpoints are those that `authorize` opens', () => {
  test('to one who reads', () => {
    expect(operations({})).toEqual(
      expect.arrayContaining(['sync', 'getRoomEvents', 'getTokenOwner', 'logout', 'introspectToken']),
    );
    for (const not of ['sendMessage', 'redactEvent', 'slidingSync', 'login', 'getVersions'])
      expect(operations({})).not.toContain(not);
  });

  test.each([
    ['send', ['sendMessage'], ['redactEvent', 'sync']],
    ['react', ['sendMessage'], ['redactEvent', 'sync']],
    ['send:org.example.a', ['sendMessage'], ['redactEvent']],
    ['send:m.poll*', ['sendMessage'], ['redactEvent']],
    ['account-data:com.example.*', ['setAccountData'], ['sendMessage']],
    ['redact-others', ['redactEvent'], ['sendMessage']],
  ] as const)('to one who may %s', (can, open, closed) => {
    expect(operations({ can: [can] })).toEqual(expect.arrayContaining([...open]));
    for (const one of closed) expect(operations({ can: [can] })).not.toContain(one);
  });

  test('and none where types leave nothing to send', () =>
    expect(operations({ can: ['send'], types: [] })).not.toContain('sendMessage'));

  test('sliding sync, for a token with a device alone', () => {
    const access = { grant: grantOf([OPS]), rooms: new Set([OPS]), device: true as const };
    expect(introspection(access, '', null, NOW).endpoints).toContainEqual(
      expect.objectContaining({ operation: 'slidingSync', methods: ['POST'] }),
    );
  });

  test('each is of the catalogue, and its path can be asked for as it stands', () => {
    const known = new Set(CATALOGUE.map(({ id }) => id));
    for (const { operation, paths } of told({}).endpoints) {
      expect(known).toContain(operation);
      for (const path of paths) expect(path).toMatch(/^\/_(?:matrix|mintwarden)\/(?!.*\{v\})/);
    }
  });
});

test('at the gateway: neither the token, nor who made it and why, nor a room that is closed', async () => {
  await using s = await stage({
    rooms: [OPS],
    grant: {
      reason: 'a private matter',
      tokenHash: 'abcdef0123456789',
      rooms: [{ roomId: DEV, name: 'Dev', encrypted: false }],
    },
  });
  const { status, body } = await s.ask('GET', '/_mintwarden/v1/token');
  expect([status, body['version'], body['uses_left']]).toEqual([200, 1, null]);
  const text = JSON.stringify(body);
  for (const secret of [TOKEN, '@admin:hs.test', 'a private matter', 'abcdef0123456789', DEV])
    expect(text).not.toContain(secret);
  expect(s.homeserver.seen).toEqual([]);
});

test('at the gateway: how many requests are left, and asking costs none', async () => {
  await using s = await stage({
    rooms: [OPS],
    grant: { scope: { v: 1, rooms: [OPS], can: ['read'], uses: 2 } },
  });
  s.homeserver.answer(() => ({ joined_rooms: [OPS] }));
  const left = async () => (await s.ask('GET', '/_mintwarden/v1/token')).body['uses_left'];
  expect([await left(), await left()]).toEqual([2, 2]);
  await s.ask('GET', '/_matrix/client/v3/joined_rooms');
  expect(await left()).toBe(1);
});
