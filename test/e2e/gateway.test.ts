import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RoomId } from '../../src/domain/ids.ts';
import { MatrixHttpError } from '../harness/matrix-http.ts';
import { type Person, registerPerson, roomPath, V3 } from './support/person.ts';
import { sharedSynapse } from '../harness/shared-synapse.ts';
import { type ScopedGateway, startScopedGateway } from './support/scoped-gateway.ts';
import { isPending, realTime, until } from '../support/wait.ts';

let gateway: ScopedGateway;
let alice: Person;
let bob: Person;
let ops: RoomId;
let secret: RoomId;

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

const ask = (method: string, path: string, body?: unknown) => gateway.request<Answered>(method, path, body);
const refused = async (asking: Promise<unknown>) => {
  const error: unknown = await asking.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(MatrixHttpError);
  const { status, errcode } = error as MatrixHttpError;
  return `${status} ${errcode}`;
};

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

beforeAll(async () => {
  const synapse = sharedSynapse();
  alice = await registerPerson(synapse, 'alice');
  bob = await registerPerson(synapse, 'bob');
  ops = await bob.createRoom({ name: 'Ops' }, alice);
  secret = await bob.createRoom({ name: 'Secret' }, alice);
  await bob.say(ops, 'hello ops');
  await bob.say(secret, 'hello secret');
  gateway = await startScopedGateway(synapse, alice, { rooms: [ops] });
});

afterAll(() => gateway[Symbol.asyncDispose]());

describe('reading through the gateway', () => {
  test('the room in scope', async () => {
    const page = await ask('GET', roomPath(ops, 'messages?dir=b&limit=50'));
    expect(page.chunk.map((event) => event.content.body)).toContain('hello ops');
    const state = await ask('GET', roomPath(ops, 'state'));
    const types = (state as unknown as { type: string }[]).map((event) => event.type);
    expect(types).toEqual(
      expect.arrayContaining(['m.room.create', 'm.room.member', 'm.room.name', 'm.room.power_levels']),
    );
    expect(await ask('GET', roomPath(ops, 'state/m.room.name'))).toEqual({ name: 'Ops' });
    expect(await ask('GET', roomPath(ops, 'state/m.room.name/'))).toEqual({ name: 'Ops' });
    expect(Object.keys((await ask('GET', roomPath(ops, 'joined_members'))).joined).toSorted()).toEqual(
      [alice.userId, bob.userId].toSorted(),
    );
    expect((await ask('GET', roomPath(ops, 'members'))).chunk).toHaveLength(2);
    const event = page.chunk.find((one) => one.content.body === 'hello ops');
    expect(
      await ask('GET', roomPath(ops, `event/${encodeURIComponent(event?.event_id ?? '')}`)),
    ).toMatchObject({
      content: { body: 'hello ops' },
    });
    const around = await ask(
      'GET',
      roomPath(ops, `context/${encodeURIComponent(event?.event_id ?? '')}?limit=4`),
    );
    expect(around).toMatchObject({ event: { event_id: event?.event_id ?? '' } });
    expect(around.state.length).toBeGreaterThan(0);
  });

  test('not the other, by any path', async () => {
    const inSecret = await bob.say(secret, 'find me');
    for (const below of [
      'messages?dir=b',
      'state',
      'state/m.room.name',
      'members',
      'joined_members',
      `event/${encodeURIComponent(inSecret)}`,
    ]) {
      expect(await refused(ask('GET', roomPath(secret, below)))).toBe('403 M_FORBIDDEN');
    }
    // Synapse finds the event whatever the room in the path.
    expect(await refused(ask('GET', roomPath(ops, `event/${encodeURIComponent(inSecret)}`)))).toBe(
      '404 M_NOT_FOUND',
    );
    expect(await refused(ask('GET', roomPath(ops, `context/${encodeURIComponent(inSecret)}`)))).toBe(
      '404 M_NOT_FOUND',
    );
    expect(await ask('GET', `${V3}/joined_rooms`)).toEqual({ joined_rooms: [ops] });
    expect(await refused(ask('PUT', roomPath(ops, 'send/m.room.message/1'), { body: 'no' }))).toBe(
      '403 M_FORBIDDEN',
    );
  });

  test('a sync shows one room and nothing that is the subject’s own', async () => {
    await alice.request('PUT', `${V3}/user/${encodeURIComponent(alice.userId)}/account_data/test.own`, {
      secret: 'mine',
    });
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
    const polling = ask('GET', `${V3}/sync?timeout=20000&since=${since}`);
    await until(() => gateway.openPolls() === 1);
    await bob.say(secret, 'not for you');
    await alice.request('PUT', `${V3}/user/${encodeURIComponent(alice.userId)}/account_data/test.own`, {
      secret: 'mine again',
    });
    // That a poll of a real Synapse goes on sleeping shows in time alone.
    await realTime(1_000);
    expect(await isPending(polling)).toBe(true);
    await bob.say(ops, 'for you');
    const sync = await polling;
    expect(sync.rooms.join[ops]?.timeline.events[0]?.content.body).toBe('for you');
  });

  test('profiles of people in shared rooms, and of nobody else', async () => {
    const carol = await registerPerson(sharedSynapse(), 'carol');
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
    expect(await ask('POST', roomPath(ops, 'join'), {})).toMatchObject({ room_id: ops });
    const own = roomPath(ops, `state/m.room.member/${encodeURIComponent(alice.userId)}`);
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
  await until(() => gateway.openPolls() === 1);
  const endedAt = Date.now();
  gateway.desk.end(gateway.grantId);
  expect(await polling).toBe('401 M_UNKNOWN_TOKEN');
  expect(Date.now() - endedAt).toBeLessThan(200);
});
