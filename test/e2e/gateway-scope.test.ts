import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { firewall, parseEndpoint } from '../../src/domain/endpoint-rule.ts';
import { newGrantId } from '../../src/domain/grant-id.ts';
import type { RoomId, UserId } from '../../src/domain/ids.ts';
import type { Scope } from '../../src/domain/scope.ts';
import { hashToken, newToken } from '../../src/domain/token.ts';
import type { Gateway } from '../../src/gateway/server.ts';
import { createSynapse, type Synapse } from '../../src/issuers/synapse/synapse.ts';
import { createAccessControl } from '../../src/lifecycle/access/access.ts';
import type { Services } from '../../src/lifecycle/services.ts';
import type { Chat } from '../../src/ports/chat.ts';
import { createSealer } from '../../src/store/seal/index.ts';
import { openSqliteLedger } from '../../src/store/sqlite/index.ts';
import { sampleGrant } from '../contract/sample.ts';
import { startTestGateway } from '../gateway/support/test-gateway.ts';
import { MatrixHttpError, statusOf } from '../harness/matrix-http.ts';
import { type Person, registerPerson, roomPath, V3 } from './support/person.ts';
import { sharedSynapse } from '../harness/shared-synapse.ts';
import { keptLog, scratchFolder } from '../store/scratch.ts';
import { buildPolicy } from '../support/grants.ts';
import { idleSafeguards } from '../support/safeguards.ts';
import { until } from '../support/wait.ts';

const HOUR = 3_600_000;
const random = (count: number) => randomBytes(count);
const clock = { now: () => Date.now() };

type SyncRooms = Record<
  'join' | 'invite',
  Record<string, { timeline?: { events: { content: { body?: string } }[] } }>
>;
type Sync = { next_batch: string; rooms: SyncRooms };

let alice: Person;
/** Makes rooms, as a bridge’s bot does. */
let bridge: Person;
let carol: Person;
let synapse: Synapse;
let scratch: Awaited<ReturnType<typeof scratchFolder>>;
let ledger: Awaited<ReturnType<typeof openSqliteLedger>>;
let world: Services;
let access: ReturnType<typeof createAccessControl>;
let gateway: Gateway;

let txn = 0;
async function roomOf(maker: Person, version?: string, joins = true): Promise<RoomId> {
  const room = await maker.createRoom({
    preset: 'private_chat',
    invite: [alice.userId],
    ...(version === undefined ? {} : { room_version: version }),
  });
  if (joins) await alice.join(room);
  return room;
}

/** A live grant of alice's with that scope, and a holder of its token. */
async function holder(scope: Partial<Scope>) {
  const { grantsEver } = await ledger.counts();
  const id = newGrantId(grantsEver, random);
  const token = newToken(id, random);
  const now = Date.now();
  const grant = sampleGrant({
    id,
    subject: alice.userId,
    scope: { v: 1, rooms: 'all', can: ['read'], ...scope },
    rooms: [],
    createdAt: now,
    expiresAt: now + HOUR,
    state: 'live',
    tokenHash: hashToken(token),
    delivery: 'sent',
  });
  await ledger.commit({ at: now, grants: [grant] });
  const ask = async <T>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<T> => {
    const response = await fetch(`http://127.0.0.1:${gateway.port}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as T & { errcode?: string; error?: string };
    if (!response.ok)
      throw new MatrixHttpError(
        response.status,
        answer.errcode ?? '',
        `${method} ${path}: ${answer.error ?? ''}`,
      );
    return answer;
  };
  const get = <T>(path: string, headers?: Record<string, string>) => ask<T>('GET', path, undefined, headers);
  return {
    id,
    ask,
    get,
    joined: async () => (await get<{ joined_rooms: RoomId[] }>(`${V3}/joined_rooms`)).joined_rooms.toSorted(),
    // Each with another wait: Synapse keeps the answer to a question of the same user for two minutes.
    sync: (since: string | null, timeout = 0) =>
      get<Sync>(`${V3}/sync?timeout=${timeout + ++txn}${since === null ? '' : `&since=${since}`}`),
    status: statusOf,
  };
}

beforeAll(async () => {
  const shared = sharedSynapse();
  alice = await registerPerson(shared, 'alice');
  bridge = await registerPerson(shared, 'bridgebot');
  carol = await registerPerson(shared, 'carol');
  scratch = await scratchFolder();
  const log = keptLog();
  ledger = await openSqliteLedger({ file: scratch.file, log });
  const botUserId = '@mintwarden:test.local' as UserId;
  synapse = createSynapse({
    homeserverUrl: shared.baseUrl,
    serverName: alice.userId.split(':')[1] ?? '',
    issuerToken: () => shared.adminToken,
    botUserId,
    timeoutMs: 20_000,
    log,
  });
  // There is no bot here: nobody has a private chat with it.
  const chat = { userId: botUserId, dm: async () => null } as unknown as Chat;
  world = {
    ledger,
    issuer: synapse.issuer,
    directory: synapse.directory,
    chat,
    sealer: createSealer({ keys: [{ id: 'k1', key: randomBytes(32) }], randomBytes }),
    clock,
    random: { bytes: random },
    log,
    policy: () =>
      buildPolicy({
        maxTtlMs: HOUR,
        deliverWithinMs: HOUR,
        redactAfterMs: HOUR,
        leaseMs: HOUR,
        commandMaxAgeMs: HOUR,
        maxLiveGrantsPerSubject: 100,
      }),
    ownAccounts: [botUserId],
    controlRoomId: '!control:test.local',
    gatewayUrl: 'http://127.0.0.1',
    seesAddresses: true,
    ...idleSafeguards(clock),
  };
  access = createAccessControl(world);
  gateway = await startTestGateway({
    homeserverUrl: shared.baseUrl,
    accessControl: access,
    transactions: ledger.transactions,
    log,
    trustedProxies: ['127.0.0.1/32'],
  });
});

afterAll(async () => {
  await gateway?.close();
  access?.close();
  await synapse?.close();
  await ledger?.close();
  await scratch?.[Symbol.asyncDispose]();
});

describe('rooms by who made them', () => {
  test.each(['10', undefined])(
    'those of the bridge, later ones too, and nobody else’s (version %s)',
    async (version) => {
      const bridged = await roomOf(bridge, version);
      const hers = await roomOf(carol, version);
      const it = await holder({ by: [bridge.userId as never], can: ['read', 'join'] });
      expect(await it.joined()).toContain(bridged);
      expect(await it.joined()).not.toContain(hers);
      const first = await it.sync(null);
      expect(Object.keys(first.rooms.join)).toContain(bridged);

      const later = await roomOf(bridge, version, false);
      const another = await roomOf(carol, version, false);
      await carol.say(hers, 'not for the holder');
      const second = await it.sync(first.next_batch, 5_000);
      expect([Object.keys(second.rooms.invite), Object.keys(second.rooms.join)]).toEqual([[later], []]);
      expect(JSON.stringify(second)).not.toContain(carol.userId);

      // The invite can be accepted through the gateway; carol’s cannot, nor be seen.
      expect(await it.status(it.ask('POST', `${V3}/join/${encodeURIComponent(another)}`, {}))).toBe(403);
      await it.ask('POST', `${V3}/join/${encodeURIComponent(later)}`, {});
      await alice.join(another);
      await bridge.say(later, 'through the bridge');
      let { next_batch: since } = second;
      const bodies: (string | undefined)[] = [];
      for (let tries = 0; tries < 5 && !bodies.includes('through the bridge'); tries++) {
        const sync = await it.sync(since, 2_000);
        since = sync.next_batch;
        expect(Object.keys(sync.rooms.join).filter((room) => room !== later)).toEqual([]);
        bodies.push(...(sync.rooms.join[later]?.timeline?.events ?? []).map(({ content }) => content.body));
      }
      expect(bodies).toContain('through the bridge');
      expect(await it.status(it.get(roomPath(hers, 'messages?dir=b')))).toBe(403);
      expect(await it.status(it.get(roomPath(another, 'messages?dir=b')))).toBe(403);
      const { joined_rooms: all } = await alice.request<{ joined_rooms: RoomId[] }>(
        'GET',
        `${V3}/joined_rooms`,
      );
      expect(all).toContain(another);
      expect(await it.joined()).not.toContain(another);
    },
  );
});

describe('a room that is upgraded', () => {
  test('is followed where that was asked for, and not otherwise', async () => {
    const old = await roomOf(carol, '10');
    const follows = await holder({ rooms: [old], followUpgrades: true });
    const stays = await holder({ rooms: [old] });
    const [one, two] = [await follows.sync(null), await stays.sync(null)];
    const { replacement_room: replacement } = await carol.request<{ replacement_room: RoomId }>(
      'POST',
      roomPath(old, 'upgrade'),
      { new_version: '11' },
    );
    // Not before the user is in it.
    expect(await follows.status(follows.get(roomPath(replacement, 'state/m.room.create')))).toBe(403);
    await carol.request('POST', roomPath(replacement, 'invite'), { user_id: alice.userId });
    await alice.join(replacement);
    await carol.say(replacement, 'in the new room');
    const seen: string[] = [];
    let { next_batch: since } = one;
    for (let tries = 0; tries < 8 && !seen.includes(replacement); tries++) {
      const sync = await follows.sync(since, 1_000);
      since = sync.next_batch;
      seen.push(...Object.keys(sync.rooms.join));
    }
    expect(seen).toContain(replacement);
    expect(JSON.stringify(await follows.get(roomPath(replacement, 'messages?dir=b')))).toContain(
      'in the new room',
    );

    expect(Object.keys((await stays.sync(two.next_batch, 0)).rooms.join)).toEqual([old]);
    expect(await stays.status(stays.get(roomPath(replacement, 'messages?dir=b')))).toBe(403);
    expect(await stays.joined()).not.toContain(replacement);
  });
});

test('of a hundred requests at once five pass, and the grant is over, its token at the homeserver being revoked', async () => {
  const it = await holder({ uses: 5 });
  const statuses = await Promise.all(Array.from({ length: 100 }, () => it.status(it.joined())));
  // More at once than the gateway takes of one grant is told to wait, and uses nothing.
  expect(statuses.filter((status) => status === 200).length).toBe(5);
  expect(new Set(statuses.filter((status) => status !== 200))).toSatisfy((others: Set<unknown>) =>
    [...others].every((one) => one === 401 || one === 429),
  );
  await until(async () => (await ledger.grant(it.id))?.state !== 'live');
  expect(await ledger.grant(it.id)).toMatchObject({ state: 'ended', endCause: 'used-up' });
  expect((await ledger.leases(it.id)).map(({ state }) => state)).toEqual(['killing']);
  expect(await ledger.uses(it.id)).toBe(5);
});

test('endpoint rules and networks count before the homeserver is asked', async () => {
  const room = await roomOf(carol);
  const rules =
    firewall([parseEndpoint(`GET ${V3}/rooms/**`)], [parseEndpoint(`GET ${V3}/rooms/*/members`)]) ?? [];
  const ruled = await holder({ rooms: [room], rules: [rules] });
  expect(await ruled.status(ruled.get(roomPath(room, 'messages?dir=b').replace('/v3/', '/r0/')))).toBe(200);
  expect(await ruled.status(ruled.get(roomPath(room, 'members')))).toBe(403);
  expect(await ruled.status(ruled.get(`${V3}/sync?timeout=0`))).toBe(403);

  const near = await holder({ rooms: [room], from: ['192.0.2.0/24'] });
  const from = (address: string) =>
    near.status(near.get(`${V3}/joined_rooms`, { 'x-forwarded-for': address }));
  expect(await from('192.0.2.7')).toBe(200);
  expect(await from('198.51.100.1, 192.0.2.7')).toBe(200);
  expect(await from('192.0.2.7, 198.51.100.1')).toBe(403);
  expect(await near.status(near.get(`${V3}/joined_rooms`))).toBe(403);
});

describe('rooms that come and go while the scope is remembered', () => {
  const messages = (room: string) => roomPath(room, 'messages?dir=b&limit=100');
  const open = () =>
    carol.createRoom({
      preset: 'public_chat',
      initial_state: [
        {
          type: 'm.room.history_visibility',
          state_key: '',
          content: { history_visibility: 'world_readable' },
        },
      ],
    });

  test('a room that was left is not joined again, though it is public', async () => {
    const room = await open();
    await alice.join(room);
    const h = await holder({ can: ['read', 'join', 'knock', 'leave'] });
    await h.get(messages(room));
    await alice.request('POST', roomPath(room, 'leave'), {});
    const own = roomPath(room, `state/m.room.member/${encodeURIComponent(alice.userId)}`);
    expect(
      await Promise.all([
        h.status(h.ask('POST', roomPath(room, 'join'), {})),
        h.status(h.ask('POST', `${V3}/join/${encodeURIComponent(room)}`, {})),
        h.status(h.ask('PUT', own, { membership: 'join' })),
        h.status(h.ask('POST', `${V3}/knock/${encodeURIComponent(room)}`, {})),
        h.status(h.ask('POST', roomPath(room, 'forget'), {})),
      ]),
    ).toEqual([403, 403, 403, 403, 403]);
    expect(await carol.request('GET', own)).toMatchObject({ membership: 'leave' });
  });

  test('nor is it read a second later, though everybody may', async () => {
    const room = await open();
    await alice.join(room);
    const h = await holder({ can: ['read'] });
    await h.get(messages(room));
    await alice.request('POST', roomPath(room, 'leave'), {});
    const took = await until(async () => (await h.status(h.get(messages(room)))) === 403, 2_000);
    expect(took).toBeLessThan(1_500);
    await carol.say(room, 'said since');
    // Anybody else may read it.
    const { chunk } = await bridge.request<{ chunk: { content: { body?: string } }[] }>(
      'GET',
      messages(room),
    );
    expect(chunk.map(({ content }) => content.body)).toContain('said since');
    for (const below of ['state', 'messages?dir=b', 'members', 'hierarchy'])
      expect([below, await h.status(h.get(roomPath(room, below)))]).toEqual([below, 403]);
  });

  test('an invite that was rejected opens nothing of a world-readable room', async () => {
    const room = await bridge.createRoom({
      preset: 'public_chat',
      invite: [alice.userId],
      initial_state: [
        {
          type: 'm.room.history_visibility',
          state_key: '',
          content: { history_visibility: 'world_readable' },
        },
      ],
    });
    const h = await holder({ can: ['read', 'join'], by: [bridge.userId as never] });
    await h.get(messages(room));
    await alice.request('POST', roomPath(room, 'leave'), {});
    await until(async () => (await h.status(h.get(messages(room)))) === 403, 3_000);
    expect(await h.status(h.ask('POST', roomPath(room, 'join'), {}))).toBe(403);
  });

  test.each(['of all rooms', 'by creator'])(
    'a room that was just made is served, in a scope %s',
    async (kind) => {
      const h = await holder(kind === 'by creator' ? { by: [bridge.userId as never] } : {});
      await h.joined();
      for (let round = 0; round < 3; round++) {
        const room = await roomOf(bridge);
        expect(await h.status(h.get(roomPath(room, 'state')))).toBe(200);
      }
      const elsewhere = await roomOf(carol);
      expect(await h.status(h.get(roomPath(elsewhere, 'state')))).toBe(kind === 'by creator' ? 403 : 200);
    },
  );
});
