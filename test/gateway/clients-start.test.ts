import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ALICE, grantOf, OPS, SECRET } from './support/grants.ts';
import { type Stage, stage } from './support/stage.ts';
import { settled } from '../support/wait.ts';

/*
 * What stock clients ask for on their way to a first sync, as they ask it, each of which stopped some of them
 * when it was refused. All of it has to be answered to a token that may read one room and nothing else.
 */

const V3 = '/_matrix/client/v3';
const R0 = '/_matrix/client/r0';
const room = encodeURIComponent(OPS);
const me = encodeURIComponent(ALICE);
const bob = encodeURIComponent('@bob:hs.test');
const FILTER =
  '{"room":{"timeline":{"limit":20},"state":{"lazy_load_members":true}},"presence":{"types":[]}}';
const KEYS = JSON.stringify({
  device_keys: { user_id: ALICE, device_id: 'MINTWARDEN_7F3K9Q', algorithms: [], keys: {}, signatures: {} },
});

const member = {
  type: 'm.room.member',
  state_key: ALICE,
  sender: ALICE,
  event_id: '$member',
  room_id: OPS,
  origin_server_ts: 1,
  content: { membership: 'join' },
};
const message = {
  type: 'm.room.message',
  sender: '@bob:hs.test',
  event_id: '$m',
  room_id: OPS,
  origin_server_ts: 2,
  content: { msgtype: 'm.text', body: 'hello' },
};

/** A homeserver with what a user has there, by the path that is asked. */
function upstream(path: string): unknown {
  const asked = decodeURIComponent(path).replace(/^\/_matrix\/client\/(?:v3|v1)\//, '');
  const answers: Readonly<Record<string, unknown>> = {
    '/_matrix/client/versions': {
      versions: ['r0.6.1', 'v1.1', 'v1.11', 'v1.15'],
      unstable_features: { 'org.matrix.msc4222': true },
    },
    capabilities: { capabilities: { 'm.room_versions': { default: '12', available: { '12': 'stable' } } } },
    joined_rooms: { joined_rooms: [OPS, SECRET] },
    'media/config': { 'm.upload.size': 50_000_000 },
    sync: {
      next_batch: 's1',
      rooms: {
        join: { [OPS]: { timeline: { events: [message], limited: false }, state: { events: [member] } } },
      },
    },
    [`rooms/${OPS}/state`]: [member],
    [`rooms/${OPS}/members`]: { chunk: [member] },
    [`rooms/${OPS}/joined_members`]: { joined: { [ALICE]: { display_name: 'Alice' } } },
    [`rooms/${OPS}/messages`]: { chunk: [message], start: 'a', end: 'b' },
    [`rooms/${OPS}/event/$m`]: message,
    [`rooms/${OPS}/state/m.room.name`]: { name: 'Ops' },
    [`rooms/${OPS}/state/m.room.encryption`]: { algorithm: 'm.megolm.v1.aes-sha2' },
    [`rooms/${OPS}/state/m.room.power_levels`]: { users: {} },
    [`rooms/${OPS}/state/m.room.member/@bob:hs.test`]: { membership: 'join' },
    [`rooms/${OPS}/threads`]: { chunk: [] },
    [`rooms/${OPS}/aliases`]: { aliases: [] },
    [`profile/${ALICE}`]: { displayname: 'Alice' },
    [`profile/${ALICE}/displayname`]: { displayname: 'Alice' },
    'profile/@bob:hs.test': { displayname: 'Bob' },
  };
  if (asked === `rooms/${OPS}/state/m.room.member/${ALICE}`) return member;
  return answers[asked] ?? { errcode: 'M_UNRECOGNIZED' };
}

/** 404 where the answer is that there is none, which every client takes. */
const NONE = 404;

const REQUESTS: readonly (readonly [
  who: string,
  status: number,
  method: string,
  path: string,
  body?: string,
])[] = [
  ['all', 200, 'GET', '/_matrix/client/versions'],
  ['js-sdk, Rust SDK, nio', 200, 'GET', `${V3}/account/whoami`],
  ['bot-sdk, hydrogen', 200, 'GET', `${R0}/account/whoami`],
  ['js-sdk, Cinny', 200, 'GET', `${V3}/pushrules/`],
  ['hydrogen', 200, 'GET', `${R0}/pushrules/`],
  ['clients that leave the slash out', 200, 'GET', `${V3}/pushrules`],
  ['push rules by scope', 200, 'GET', `${V3}/pushrules/global/`],
  ['js-sdk, maubot, hydrogen', 200, 'POST', `${V3}/user/${me}/filter`, FILTER],
  ['opsdroid, matterbridge', 200, 'POST', `${R0}/user/${me}/filter`, FILTER],
  ['js-sdk', 200, 'GET', `${V3}/capabilities`],
  ['bot-sdk', 200, 'GET', `${V3}/joined_rooms`],
  ['matterbridge', 200, 'GET', `${R0}/joined_rooms`],
  ['matterbridge, shoutrrr', 200, 'POST', `${R0}/join/${room}`, '{}'],
  ['apprise', 200, 'POST', `${V3}/join/${room}`],
  ['iamb', 200, 'POST', `${V3}/rooms/${room}/join`, '{}'],
  [
    'a mautrix double puppet',
    200,
    'PUT',
    `${V3}/rooms/${room}/state/m.room.member/${me}`,
    '{"membership":"join","displayname":"Alice"}',
  ],
  ['hydrogen, mautrix', 200, 'POST', `${V3}/keys/upload`, KEYS],
  ['mautrix, with a device in the path', NONE, 'GET', `${V3}/dehydrated_device`],
  ['clients that encrypt', 200, 'POST', `${V3}/keys/query`, JSON.stringify({ device_keys: { [ALICE]: [] } })],
  ['clients that encrypt', 200, 'GET', `${V3}/keys/changes?from=s1&to=s2`],
  ['js-sdk', NONE, 'GET', `${V3}/user/${me}/account_data/m.secret_storage.default_key`],
  ['bot-sdk, a store in account data', NONE, 'GET', `${V3}/user/${me}/account_data/org.example.store`],
  ['Element', NONE, 'GET', `${V3}/room_keys/version`],
  ['Element', 200, 'GET', `${V3}/voip/turnServer`],
  ['Element', NONE, 'GET', '/_matrix/client/unstable/org.matrix.msc4143/rtc/transports'],
  ['Element', NONE, 'GET', '/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device'],
  ['Element', 200, 'GET', `${V3}/devices`],
  [
    'Element, which then goes without',
    NONE,
    'GET',
    '/_matrix/client/unstable/org.matrix.msc2965/auth_metadata',
  ],
  ['Rust SDK', 200, 'GET', '/_matrix/client/v1/media/config'],
  ['js-sdk', 200, 'GET', '/_matrix/media/v3/config'],
  ['matterbridge', 200, 'GET', '/_matrix/media/r0/config'],
  ['matrix-commander-rs', 200, 'GET', `${V3}/rooms/${room}/state/m.room.encryption`],
  ['matrix-commander-rs', 200, 'GET', `${V3}/rooms/${room}/state/m.room.encryption/`],
  ['maubot', 200, 'GET', `${V3}/profile/${me}`],
  ['maubot', 200, 'GET', `${V3}/profile/${me}/displayname`],
  ['bots that greet', 200, 'GET', `${V3}/profile/${bob}`],
  ['all', 200, 'GET', `${V3}/sync?timeout=0`],
  ['nio', 200, 'GET', `${V3}/sync?timeout=0&full_state=true&set_presence=online`],
  ['hydrogen, matterbridge', 200, 'GET', `${R0}/sync?timeout=0`],
  [
    'js-sdk 37 and later',
    200,
    'GET',
    `${V3}/sync?timeout=0&_cacheBuster=1&org.matrix.msc4222.use_state_after=true`,
  ],
  ['Rust SDK', 200, 'GET', `${V3}/sync?timeout=0&use_state_after=true`],
  [
    'clients with a filter in the query',
    200,
    'GET',
    `${V3}/sync?timeout=0&filter=${encodeURIComponent(FILTER)}`,
  ],
  [
    'Rust SDK, which falls back',
    NONE,
    'POST',
    '/_matrix/client/unstable/org.matrix.simplified_msc3575/sync?timeout=0',
    '{}',
  ],
  ['lazy loading', 200, 'GET', `${V3}/rooms/${room}/members?at=s1&not_membership=leave`],
  ['bot-sdk', 200, 'GET', `${V3}/rooms/${room}/joined_members`],
  ['nio', 200, 'GET', `${V3}/rooms/${room}/messages?from=s1&dir=b&limit=10`],
  ['threads', 200, 'GET', `/_matrix/client/v1/rooms/${room}/threads`],
  ['replies', 200, 'GET', `${V3}/rooms/${room}/event/$m`],
  ['all', 200, 'GET', `${V3}/rooms/${room}/state`],
  ['clients that type', 200, 'PUT', `${V3}/rooms/${room}/typing/${me}`, '{"typing":true,"timeout":5000}'],
  ['clients that read', 200, 'POST', `${V3}/rooms/${room}/receipt/m.read/$m`, '{}'],
  ['clients that read', 200, 'POST', `${V3}/rooms/${room}/receipt/m.read.private/$m`, '{"thread_id":"main"}'],
  [
    'clients that read',
    200,
    'POST',
    `${V3}/rooms/${room}/read_markers`,
    '{"m.fully_read":"$m","m.read":"$m"}',
  ],
];

const CASES = REQUESTS.map(([who, status, method, path, body]) => ({
  who,
  status,
  method,
  path,
  options: body === undefined ? {} : { body },
}));

let s: Stage;
beforeAll(async () => {
  s = await stage({ rooms: [OPS] });
  s.homeserver.answer(({ path }) => upstream(path));
});
afterAll(() => s[Symbol.asyncDispose]());

describe('a token that reads one room', () => {
  test.each(CASES)('$who: $status for $method $path', async ({ status, method, path, options }) => {
    const got = await s.ask(method, path, options);
    expect([got.status, got.status === 404 ? typeof got.body['errcode'] : 'string']).toEqual([
      status,
      'string',
    ]);
    expect(JSON.stringify(got.body)).not.toContain(SECRET);
  });

  test('syncs with the filter it has stored, also under an older name', async () => {
    const { body } = await s.ask('POST', `${V3}/user/${me}/filter`, { body: FILTER });
    for (const version of [V3, R0]) {
      const got = await s.ask('GET', `${version}/sync?timeout=0&filter=${String(body['filter_id'])}`);
      expect([got.status, got.body['next_batch']]).toEqual([200, 's1']);
    }
    expect((await s.ask('GET', `${V3}/user/${me}/filter/${String(body['filter_id'])}`)).body).toEqual(
      JSON.parse(FILTER),
    );
  });

  test('is told who it is with a device id, and that its keys are there', async () => {
    expect((await s.ask('GET', `${V3}/account/whoami`)).body).toMatchObject({
      user_id: ALICE,
      device_id: expect.stringMatching(/./),
    });
    expect((await s.ask('POST', `${V3}/keys/upload`, { body: KEYS })).body).toEqual({
      one_time_key_counts: { signed_curve25519: 50 },
    });
    expect((await s.ask('GET', `${V3}/pushrules/`)).body).toEqual({
      global: { override: [], content: [], room: [], sender: [], underride: [] },
    });
  });

  test('has changed nothing at the homeserver by all of that, and touched nobody’s presence', async () => {
    expect(s.homeserver.seen.filter(({ method }) => method !== 'GET')).toEqual([]);
    const syncs = s.homeserver.seen.filter(({ path }) => path.endsWith('/sync'));
    expect(new Set(syncs.map(({ query }) => query.get('set_presence')))).toEqual(new Set(['offline']));
  });
});

describe('a token that only sends', () => {
  const never403 = CASES.filter(({ method, path }) =>
    /versions|whoami|pushrules|filter|capabilities|joined_rooms|join\/|\/join$|keys|account_data|turnServer|devices$|media.*config|m.room.encryption|sync/.test(
      `${method} ${path}`,
    ),
  );
  test.each(never403)('$who: $status for $method $path', async ({ status, method, path, options }) => {
    await using sender = await stage({
      rooms: [OPS],
      grant: { scope: { v: 1, rooms: [OPS], can: ['send'] } },
    });
    sender.homeserver.answer(({ path: asked }) => upstream(asked));
    expect((await sender.ask(method, path, options)).status).toBe(status);
  });

  test('syncs, and sees nothing; the homeserver is not asked, and the wait is as long as it was to be', async () => {
    await using sender = await stage({
      rooms: [OPS],
      grant: { scope: { v: 1, rooms: [OPS], can: ['send'] } },
    });
    const first = await sender.ask('GET', `${V3}/sync?timeout=30000`);
    const nothing = { join: {}, invite: {}, leave: {}, knock: {} };
    expect(first).toMatchObject({ status: 200, body: { rooms: nothing } });
    const begun = performance.now();
    const second = await sender.ask(
      'GET',
      `${V3}/sync?timeout=300&since=${String(first.body['next_batch'])}`,
    );
    expect(performance.now() - begun).toBeGreaterThan(250);
    expect(second.body).toEqual(first.body);
    const open = sender.ask('GET', `${V3}/sync?timeout=30000&since=mw0`);
    await settled();
    sender.desk.end(grantOf([]).id);
    expect((await open).status).toBe(401);
    expect(sender.homeserver.seen).toEqual([]);
  });
});

test('before there is a token, as browsers and those who look for a server ask', async () => {
  for (const path of ['/.well-known/matrix/client', '/_matrix/client/versions'])
    expect((await s.ask('GET', path, { token: null })).status).toBe(200);
  expect((await s.ask('GET', '/.well-known/matrix/client', { token: null })).body).toEqual({
    'm.homeserver': { base_url: 'https://gateway.test' },
  });
  expect((await s.ask('OPTIONS', `${V3}/sync`, { token: null })).status).toBe(204);
});
