import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RoomId, UserId } from '../../src/domain/ids.ts';
import { type Gateway, startGateway } from '../../src/gateway/server.ts';
import { grantOf } from '../gateway/support/grants.ts';
import { type GrantDesk, grantDesk } from '../gateway/support/grant-desk.ts';
import { matrixRequest, MatrixHttpError } from '../harness/matrix-http.ts';
import { sharedSynapse } from '../harness/shared-synapse.ts';
import type { TestUser } from '../harness/synapse-users.ts';
import { memoryTransactions } from '../gateway/support/memory-transactions.ts';

const TOKEN = 'mwt_7F3K9Q_scoped';
const V3 = '/_matrix/client/v3';

let gateway: Gateway;
let desk: GrantDesk;
let alice: TestUser;
let bob: TestUser;
let ops: RoomId;
let secret: RoomId;
let url: string;

type Event = { event_id: string; type: string; content: { body?: string } };
type Events = { events: Event[] };
type Answered = {
  chunk: Event[];
  state: Event[];
  joined: object;
  versions: string[];
  capabilities: Record<string, { default?: string } | undefined>;
  next_batch: string;
  rooms: { join: Record<string, { timeline: Events; state?: Events; state_after?: Events }> };
};

const quiet = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
const room = (id: string) => `${V3}/rooms/${encodeURIComponent(id)}`;
const ask = (method: string, path: string, body?: unknown) =>
  matrixRequest<Answered>(url, method, path, { token: TOKEN, ...(body === undefined ? {} : { body }) });
const refused = async (asking: Promise<unknown>) => {
  const error: unknown = await asking.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(MatrixHttpError);
  const { status, errcode } = error as MatrixHttpError;
  return `${status} ${errcode}`;
};

async function say(roomId: string, user: TestUser, body: string): Promise<string> {
  const path = `${room(roomId)}/send/m.room.message/${Math.random()}`;
  const sent = await matrixRequest<{ event_id: string }>(sharedSynapse().baseUrl, 'PUT', path, {
    token: user.accessToken,
    body: { msgtype: 'm.text', body },
  });
  return sent.event_id;
}

/** A sync token with nothing after it: Synapse answers first syncs from a cache, so that they may be old. */
async function caughtUp(): Promise<string> {
  let since = (await ask('GET', `${V3}/sync`)).next_batch;
  for (let news = true; news;) {
    const sync = await ask('GET', `${V3}/sync?since=${since}`);
    news = Object.keys(sync.rooms.join).length > 0;
    since = sync.next_batch;
  }
  return since;
}

async function roomOf(user: TestUser, other: TestUser, name: string): Promise<RoomId> {
  const { baseUrl } = sharedSynapse();
  const made = await matrixRequest<{ room_id: RoomId }>(baseUrl, 'POST', `${V3}/createRoom`, {
    token: user.accessToken,
    body: { name, invite: [other.userId] },
  });
  await matrixRequest(baseUrl, 'POST', `${V3}/join/${encodeURIComponent(made.room_id)}`, {
    token: other.accessToken,
    body: {},
  });
  return made.room_id;
}

beforeAll(async () => {
  const synapse = sharedSynapse();
  alice = await synapse.uniqueUser('alice');
  bob = await synapse.uniqueUser('bob');
  ops = await roomOf(bob, alice, 'Ops');
  secret = await roomOf(bob, alice, 'Secret');
  await say(ops, bob, 'hello ops');
  await say(secret, bob, 'hello secret');
  const minted = await matrixRequest<{ access_token: string }>(
    synapse.baseUrl,
    'POST',
    `/_synapse/admin/v1/users/${encodeURIComponent(alice.userId)}/login`,
    { token: synapse.adminToken, body: { valid_until_ms: Date.now() + 3_600_000 } },
  );
  desk = grantDesk(minted.access_token);
  desk.add(TOKEN, { grant: grantOf([ops], { subject: alice.userId as UserId }), rooms: new Set([ops]) });
  gateway = await startGateway({
    listen: { host: '127.0.0.1', port: 0 },
    homeserverUrl: synapse.baseUrl,
    publicUrl: 'http://127.0.0.1',
    access: desk,
    sentence: () => 'a sentence',
    transactions: memoryTransactions(),
    clock: { now: () => Date.now() },
    log: quiet,
  });
  url = `http://127.0.0.1:${gateway.port}`;
});

afterAll(async () => {
  await gateway.close();
});

describe('reading through the gateway', () => {
  test('the room in scope', async () => {
    const page = await ask('GET', `${room(ops)}/messages?dir=b&limit=50`);
    expect(page.chunk.map((event) => event.content.body)).toContain('hello ops');
    const state = await ask('GET', `${room(ops)}/state`);
    const types = (state as unknown as { type: string }[]).map((event) => event.type);
    expect(types).toEqual(
      expect.arrayContaining(['m.room.create', 'm.room.member', 'm.room.name', 'm.room.power_levels']),
    );
    expect(await ask('GET', `${room(ops)}/state/m.room.name`)).toEqual({ name: 'Ops' });
    expect(await ask('GET', `${room(ops)}/state/m.room.name/`)).toEqual({ name: 'Ops' });
    expect(Object.keys((await ask('GET', `${room(ops)}/joined_members`)).joined).toSorted()).toEqual(
      [alice.userId, bob.userId].toSorted(),
    );
    expect((await ask('GET', `${room(ops)}/members`)).chunk).toHaveLength(2);
    const event = page.chunk.find((one) => one.content.body === 'hello ops');
    expect(await ask('GET', `${room(ops)}/event/${encodeURIComponent(event?.event_id ?? '')}`)).toMatchObject(
      {
        content: { body: 'hello ops' },
      },
    );
    const around = await ask(
      'GET',
      `${room(ops)}/context/${encodeURIComponent(event?.event_id ?? '')}?limit=4`,
    );
    expect(around).toMatchObject({ event: { event_id: event?.event_id ?? '' } });
    expect(around.state.length).toBeGreaterThan(0);
  });

  test('not the other, by any road', async () => {
    const inSecret = await say(secret, bob, 'find me');
    for (const below of [
      'messages?dir=b',
      'state',
      'state/m.room.name',
      'members',
      'joined_members',
      `event/${encodeURIComponent(inSecret)}`,
    ]) {
      expect(await refused(ask('GET', `${room(secret)}/${below}`))).toBe('403 M_FORBIDDEN');
    }
    // Synapse finds the event whatever the room in the path.
    expect(await refused(ask('GET', `${room(ops)}/event/${encodeURIComponent(inSecret)}`))).toBe(
      '404 M_NOT_FOUND',
    );
    expect(await refused(ask('GET', `${room(ops)}/context/${encodeURIComponent(inSecret)}`))).toBe(
      '404 M_NOT_FOUND',
    );
    expect(await ask('GET', `${V3}/joined_rooms`)).toEqual({ joined_rooms: [ops] });
    expect(await refused(ask('PUT', `${room(ops)}/send/m.room.message/1`, { body: 'no' }))).toBe(
      '403 M_FORBIDDEN',
    );
  });

  test('a sync shows one room and nothing that is the subject’s own', async () => {
    await matrixRequest(
      sharedSynapse().baseUrl,
      'PUT',
      `${V3}/user/${encodeURIComponent(alice.userId)}/account_data/test.own`,
      {
        token: alice.accessToken,
        body: { secret: 'mine' },
      },
    );
    for (const query of [
      'timeout=0',
      'timeout=0&full_state=true',
      'timeout=0&org.matrix.msc4222.use_state_after=true',
      '_cacheBuster=1',
    ]) {
      const sync = await ask('GET', `${V3}/sync?${query}`);
      expect(Object.keys(sync.rooms.join)).toEqual([ops]);
      expect(Object.keys(sync)).toEqual(['next_batch', 'rooms']);
      expect(JSON.stringify(sync)).not.toMatch(/Secret|hello secret|mine/);
      const part = sync.rooms.join[ops];
      const events = [
        ...(part?.state?.events ?? []),
        ...(part?.state_after?.events ?? []),
        ...(part?.timeline.events ?? []),
      ];
      expect(events.map((event) => event.type)).toContain('m.room.create');
    }
  });

  test('a long-poll sleeps through news from elsewhere, and wakes for its own', async () => {
    const since = await caughtUp();
    const startedAt = Date.now();
    const polling = ask('GET', `${V3}/sync?timeout=20000&since=${since}`).then((sync) => ({
      sync,
      ms: Date.now() - startedAt,
    }));
    await new Promise((resolve) => setTimeout(resolve, 200));
    await say(secret, bob, 'not for you');
    await matrixRequest(
      sharedSynapse().baseUrl,
      'PUT',
      `${V3}/user/${encodeURIComponent(alice.userId)}/account_data/test.own`,
      {
        token: alice.accessToken,
        body: { secret: 'mine again' },
      },
    );
    await new Promise((resolve) => setTimeout(resolve, 1_300));
    await say(ops, bob, 'for you');
    const { sync, ms } = await polling;
    expect(ms).toBeGreaterThan(1_400);
    expect(sync.rooms.join[ops]?.timeline.events[0]?.content.body).toBe('for you');
  });

  test('profiles of people one meets, and of nobody else', async () => {
    const carol = await sharedSynapse().uniqueUser('carol');
    expect(await ask('GET', `${V3}/profile/${encodeURIComponent(bob.userId)}`)).toHaveProperty('displayname');
    expect(await ask('GET', `${V3}/profile/${encodeURIComponent(alice.userId)}/displayname`)).toHaveProperty(
      'displayname',
    );
    expect(await refused(ask('GET', `${V3}/profile/${encodeURIComponent(carol.userId)}`))).toBe(
      '403 M_FORBIDDEN',
    );
    expect(await refused(ask('GET', `${V3}/profile/${encodeURIComponent('@nobody:localhost')}`))).toBe(
      '403 M_FORBIDDEN',
    );
  });

  test('a join of a room one is in, in both forms, and as a double puppet does it', async () => {
    expect(await ask('POST', `${V3}/join/${encodeURIComponent(ops)}`, {})).toMatchObject({ room_id: ops });
    expect(await ask('POST', `${room(ops)}/join`, {})).toMatchObject({ room_id: ops });
    const own = `${room(ops)}/state/m.room.member/${encodeURIComponent(alice.userId)}`;
    expect(await ask('PUT', own, { membership: 'join' })).toMatchObject({
      event_id: expect.stringMatching(/^\$/),
    });
    expect(await refused(ask('PUT', own, { membership: 'leave' }))).toBe('403 M_FORBIDDEN');
    expect(await refused(ask('POST', `${V3}/join/${encodeURIComponent(secret)}`, {}))).toBe(
      '403 M_FORBIDDEN',
    );
  });

  test('what clients ask at start', async () => {
    expect((await ask('GET', '/_matrix/client/versions')).versions).toContain('v1.11');
    expect((await ask('GET', `${V3}/capabilities`)).capabilities['m.room_versions']?.default).toBeDefined();
    expect(await ask('GET', '/_matrix/client/v1/media/config')).toHaveProperty('m.upload.size');
  });
});

test('a token that has ended ends the open sync with it', async () => {
  const since = await caughtUp();
  const polling = refused(ask('GET', `${V3}/sync?timeout=20000&since=${since}`));
  await new Promise((resolve) => setTimeout(resolve, 300));
  const endedAt = Date.now();
  desk.end('7F3K9Q' as never);
  expect(await polling).toBe('401 M_UNKNOWN_TOKEN');
  expect(Date.now() - endedAt).toBeLessThan(200);
});
