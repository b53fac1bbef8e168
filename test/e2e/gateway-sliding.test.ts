import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RoomId } from '../../src/domain/ids.ts';
import { MatrixHttpError } from '../harness/matrix-http.ts';
import { type Person, registerPerson } from './support/person.ts';
import { sharedSynapse } from '../harness/shared-synapse.ts';
import { type ScopedGateway, startScopedGateway } from './support/scoped-gateway.ts';
import { isPending, realTime, until } from '../support/wait.ts';

/* No issuer gives a device yet; the test logs in itself, so that the endpoint is still tried on a real Synapse. */

const SLIDING = '/_matrix/client/unstable/org.matrix.simplified_msc3575/sync';

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

let alice: Person;
let bob: Person;
let rooms: RoomId[];
let gateway: ScopedGateway;

const says = (room: RoomId | undefined, body: string) => bob.say(room ?? '', body);
const slide = (body: unknown, query = '') => gateway.request<Slid>('POST', `${SLIDING}${query}`, body);
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
  const synapse = sharedSynapse();
  alice = await registerPerson(synapse, 'alice');
  bob = await registerPerson(synapse, 'bob');
  rooms = [];
  for (const name of ['Ops', 'Dev', 'Secret']) {
    const room = await bob.createRoom({ name }, alice);
    rooms.push(room);
    await bob.say(room, `first in ${name}`);
  }
  gateway = await startScopedGateway(synapse, alice, {
    rooms: rooms.slice(0, 2),
    upstream: alice.accessToken,
    device: true,
  });
});
afterAll(() => gateway[Symbol.asyncDispose]());

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
    const waiting = slide(LISTS, `?pos=${encodeURIComponent(pos)}&timeout=20000`);
    await until(() => gateway.openPolls() === 1);
    await says(rooms[2], 'a whisper in Secret');
    // That a poll of a real Synapse goes on sleeping shows in time alone.
    await realTime(1_000);
    expect(await isPending(waiting)).toBe(true);
    await says(rooms[1], 'news in Dev');
    const woken = await waiting;
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
