import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RoomId, UserId } from '../../src/domain/ids.ts';
import { type Gateway, startGateway } from '../../src/gateway/server.ts';
import { type GrantDesk, grantDesk } from '../gateway/support/grant-desk.ts';
import { grantOf } from '../gateway/support/grants.ts';
import { memoryTransactions } from '../gateway/support/memory-transactions.ts';
import { matrixRequest, MatrixHttpError } from '../harness/matrix-http.ts';
import { sharedSynapse } from '../harness/shared-synapse.ts';
import type { TestUser } from '../harness/synapse-users.ts';

/* No issuer gives a device yet; a login of the test's own does, so that the line is tried on a real Synapse all the same. */

const TOKEN = 'mwt_7F3K9Q_scoped';
const V3 = '/_matrix/client/v3';
const SLIDING = '/_matrix/client/unstable/org.matrix.simplified_msc3575/sync';
const quiet = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

type Room = {
  name?: string;
  timeline?: { content: { body?: string } }[];
  required_state?: { type: string }[];
  joined_count?: number;
};
type Slid = {
  pos: string;
  lists: Record<string, { count: number }>;
  rooms: Record<string, Room>;
  extensions: object;
};

let alice: TestUser;
let bob: TestUser;
let rooms: RoomId[];
let desk: GrantDesk;
let gateway: Gateway;
let txn = 0;

const direct = <T>(user: TestUser, method: string, path: string, body: unknown) =>
  matrixRequest<T>(sharedSynapse().baseUrl, method, path, { token: user.accessToken, body });
const says = (room: RoomId | undefined, body: string) =>
  direct(bob, 'PUT', `${V3}/rooms/${encodeURIComponent(room ?? '')}/send/m.room.message/t${++txn}`, {
    msgtype: 'm.text',
    body,
  });
const slide = (body: unknown, query = '') =>
  matrixRequest<Slid>(`http://127.0.0.1:${gateway.port}`, 'POST', `${SLIDING}${query}`, {
    token: TOKEN,
    body,
  });
const LISTS = {
  lists: {
    all: {
      ranges: [[0, 19]],
      timeline_limit: 3,
      required_state: [
        ['m.room.create', ''],
        ['m.room.member', '$LAZY'],
      ],
    },
  },
};

beforeAll(async () => {
  [alice, bob] = await Promise.all([sharedSynapse().uniqueUser('alice'), sharedSynapse().uniqueUser('bob')]);
  rooms = [];
  for (const name of ['Ops', 'Dev', 'Secret']) {
    const made = await direct<{ room_id: RoomId }>(bob, 'POST', `${V3}/createRoom`, {
      name,
      invite: [alice.userId],
    });
    await direct(alice, 'POST', `${V3}/join/${encodeURIComponent(made.room_id)}`, {});
    rooms.push(made.room_id);
    await says(made.room_id, `first in ${name}`);
  }
  desk = grantDesk(alice.accessToken);
  const scoped = rooms.slice(0, 2);
  desk.add(TOKEN, {
    grant: grantOf(scoped, { subject: alice.userId as UserId }),
    rooms: new Set(scoped),
    device: true,
  });
  gateway = await startGateway({
    listen: { host: '127.0.0.1', port: 0 },
    homeserverUrl: sharedSynapse().baseUrl,
    publicUrl: 'http://127.0.0.1',
    access: desk,
    sentence: () => 'a sentence',
    transactions: memoryTransactions(),
    clock: { now: () => Date.now() },
    log: quiet,
  });
});
afterAll(() => gateway.close());

describe('simplified sliding sync on a real Synapse', () => {
  test('shows the rooms in scope, wholly, and counts no other', async () => {
    const {
      lists,
      rooms: shown,
      extensions,
    } = await slide({ ...LISTS, conn_id: 'main', extensions: { e2ee: { enabled: true } } });
    expect(Object.keys(shown).toSorted()).toEqual(rooms.slice(0, 2).toSorted());
    expect(shown[rooms[0] ?? '']).toMatchObject({ name: 'Ops', initial: true, joined_count: 2 });
    expect(shown[rooms[0] ?? '']?.timeline?.map(({ content }) => content.body)).toContain('first in Ops');
    expect(shown[rooms[0] ?? '']?.required_state?.map(({ type }) => type)).toContain('m.room.create');
    expect([lists['all']?.count, extensions]).toEqual([2, {}]);
    expect(JSON.stringify(shown)).not.toContain('Secret');
  });

  test('waits on while only others speak, and wakes for its own', async () => {
    const { pos } = await slide(LISTS);
    const begun = performance.now();
    const waiting = slide(LISTS, `?pos=${encodeURIComponent(pos)}&timeout=20000`);
    await says(rooms[2], 'a whisper in Secret');
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await says(rooms[1], 'news in Dev');
    const woken = await waiting;
    expect(performance.now() - begun).toBeGreaterThan(900);
    expect(Object.keys(woken.rooms)).toEqual([rooms[1]]);
    expect(JSON.stringify(woken)).not.toContain('whisper');
    const quietly = await slide(LISTS, `?pos=${encodeURIComponent(woken.pos)}&timeout=500`);
    expect(quietly.rooms).toEqual({});
  });

  test('a subscription to a room outside shows nothing of it', async () => {
    const { rooms: shown } = await slide({
      conn_id: 'other',
      room_subscriptions: { [rooms[2] ?? '']: { timeline_limit: 5, required_state: [['*', '*']] } },
    });
    expect(shown).toEqual({});
  });

  test('a position that Synapse does not know says so', async () => {
    const error: unknown = await slide(LISTS, '?pos=999999999/s1_1_1_1_1_1_1_1_1_1').then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(MatrixHttpError);
    expect(error).toMatchObject({ status: 400 });
  });
});
