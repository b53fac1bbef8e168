import { describe, expect, test } from 'vitest';
import { DEV, OPS, SECRET } from '../support/grants.ts';
import { stage } from '../support/stage.ts';

const SYNC = '/_matrix/client/v3/sync';
const event = (body: string, more: object = {}) => ({
  type: 'm.room.message',
  event_id: `$${body}`,
  sender: '@bob:hs.test',
  content: { body },
  origin_server_ts: 1,
  ...more,
});
const room = (body: string, more: object = {}) => ({
  timeline: { events: [event(body)], limited: true, prev_batch: 'p' },
  state: { events: [event('state of ' + body, { state_key: '' })] },
  ...more,
});

/** Everything a homeserver may put into a sync, each with a word that must not come through. */
const EVERYTHING = {
  next_batch: 's2',
  account_data: { events: [{ type: 'm.direct', content: { leak: 'account data' } }] },
  presence: { events: [{ type: 'm.presence', sender: '@leak:hs.test', content: {} }] },
  to_device: { events: [{ type: 'm.room_key', content: { leak: 'to-device' } }] },
  device_lists: { changed: ['@leak:hs.test'], left: [] },
  device_one_time_keys_count: { leak: 1 },
  device_unused_fallback_key_types: ['leak'],
  'org.unknown.section': { leak: true },
  rooms: {
    join: {
      [OPS]: room('in scope', {
        account_data: { events: [{ type: 'm.fully_read', content: { leak: 'read marker' } }] },
        ephemeral: {
          events: [
            { type: 'm.receipt', content: { leak: 'receipt' } },
            { type: 'm.typing', content: { user_ids: ['@leak:hs.test'] } },
          ],
        },
        unread_notifications: { notification_count: 3, leak: 1 },
        unread_thread_notifications: { leak: {} },
        summary: { 'm.heroes': ['@bob:hs.test'], 'm.joined_member_count': 2, leak: 1 },
        'org.unknown': { leak: true },
        timeline: {
          events: [
            event('in scope', { unsigned: { age: 5, transaction_id: 'leak', 'org.leak': 1 }, 'org.leak': 1 }),
            event('leak: another room’s', { room_id: SECRET }),
            event('leak: a room that is none', { room_id: null }),
            event('redacted', {
              unsigned: { redacted_because: event('leak: a redaction elsewhere', { room_id: SECRET }) },
            }),
            event('thread', {
              unsigned: {
                'm.relations': {
                  'm.thread': {
                    count: 1,
                    latest_event: event('leak: a thread elsewhere', { room_id: SECRET }),
                  },
                },
              },
            }),
            'leak: not an event',
          ],
          limited: false,
          prev_batch: 'p',
          leak: 1,
        },
      }),
      [SECRET]: room('leak: joined'),
    },
    invite: { [SECRET]: { invite_state: { events: [event('leak: invited')] } } },
    leave: { [SECRET]: room('leak: left') },
    knock: { [SECRET]: { knock_state: { events: [event('leak: knocked')] } } },
    leak: { [OPS]: room('leak: another section') },
  },
};

test('of everything a sync can hold, only what a member of the rooms in scope sees comes through', async () => {
  await using s = await stage({ rooms: [OPS] });
  s.homeserver.answer(() => EVERYTHING);
  const { body } = await s.ask('GET', SYNC);
  expect(JSON.stringify(body)).not.toContain('leak');
  expect(JSON.stringify(body)).not.toContain(SECRET);
  expect(body).toMatchObject({
    next_batch: 's2',
    rooms: {
      join: {
        [OPS]: { timeline: { limited: false, prev_batch: 'p' }, summary: { 'm.joined_member_count': 2 } },
      },
      invite: {},
      leave: {},
      knock: {},
    },
  });
  const events = (body['rooms'] as { join: Record<string, { timeline: { events: unknown[] } }> }).join[OPS]
    ?.timeline.events;
  expect(events).toEqual([
    event('in scope', { unsigned: { age: 5 } }),
    event('redacted', { unsigned: {} }),
    event('thread', { unsigned: { 'm.relations': {} } }),
  ]);
});

test('an invite, a knock and a leave of a room in scope are shown', async () => {
  await using s = await stage({ rooms: [OPS, DEV] });
  const stripped = { type: 'm.room.name', state_key: '', sender: '@bob:hs.test', content: { name: 'Ops' } };
  s.homeserver.answer(() => ({
    next_batch: 's',
    rooms: {
      invite: { [OPS]: { invite_state: { events: [stripped, { ...stripped, room_id: SECRET }] } } },
      leave: { [DEV]: room('bye') },
    },
  }));
  const { body } = await s.ask('GET', SYNC);
  expect(body['rooms']).toMatchObject({
    invite: { [OPS]: { invite_state: { events: [stripped] } } },
    leave: { [DEV]: { timeline: { events: [event('bye')] } } },
  });
});

test('the scope is pushed down: rooms, no presence, no account data, offline', async () => {
  await using s = await stage({ rooms: [OPS] });
  s.homeserver.answer(() => ({ next_batch: 's' }));
  const filter = JSON.stringify({
    room: { rooms: [OPS, SECRET], timeline: { limit: 3, rooms: [SECRET] } },
    presence: { types: ['*'] },
    account_data: {},
    event_format: 'federation',
    event_fields: ['content'],
  });
  await s.ask(
    'GET',
    `${SYNC}?set_presence=online&timeout=0&_cacheBuster=1&user_id=@x:y&filter=${encodeURIComponent(filter)}`,
  );
  const query = Object.fromEntries(s.homeserver.seen[0]?.query ?? []);
  expect(Object.keys(query).toSorted()).toEqual(['filter', 'set_presence', 'timeout']);
  expect(query['set_presence']).toBe('offline');
  const off = { types: [], not_types: ['*'] };
  expect(JSON.parse(query['filter'] ?? '')).toEqual({
    presence: off,
    account_data: off,
    room: { rooms: [OPS], account_data: off, ephemeral: off, state: {}, timeline: { limit: 3, rooms: [] } },
  });
});

describe('a long-poll', () => {
  test('sleeps on while there is nothing to show, and goes on from where it was', async () => {
    await using s = await stage({ rooms: [OPS] });
    let count = 0;
    s.homeserver.answer(() => {
      count++;
      if (count < 3)
        return {
          ...EVERYTHING,
          next_batch: `s${count}`,
          rooms: {
            join: {
              [SECRET]: room('elsewhere'),
              [OPS]: { ephemeral: { events: [{}] }, timeline: { events: [] } },
            },
          },
        };
      return { next_batch: 's3', rooms: { join: { [OPS]: room('here') } } };
    });
    const { body } = await s.ask('GET', `${SYNC}?since=s0&timeout=10000`);
    expect(body).toMatchObject({ next_batch: 's3', rooms: { join: { [OPS]: {} } } });
    expect(s.homeserver.seen.map((one) => one.query.get('since'))).toEqual(['s0', 's1', 's2']);
  });

  test('ends with an empty answer at the deadline, not before', async () => {
    await using s = await stage({ rooms: [OPS] });
    s.homeserver.answer(() => ({ next_batch: 's1', rooms: { join: { [SECRET]: room('elsewhere') } } }));
    const startedAt = Date.now();
    const { body } = await s.ask('GET', `${SYNC}?since=s0&timeout=600`);
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(590);
    expect(body).toEqual({ next_batch: 's1', rooms: { join: {}, invite: {}, leave: {}, knock: {} } });
    expect(s.homeserver.seen.length).toBeLessThan(8);
  });

  test('is not waited for the first time', async () => {
    await using s = await stage({ rooms: [OPS] });
    s.homeserver.answer(() => ({ next_batch: 's1' }));
    const startedAt = Date.now();
    expect((await s.ask('GET', `${SYNC}?timeout=20000`)).status).toBe(200);
    expect(Date.now() - startedAt).toBeLessThan(1_000);
  });

  test('is abandoned upstream when the holder goes', async () => {
    await using s = await stage({ rooms: [OPS] });
    const closed = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    s.homeserver.answer((_, response) => {
      response.on('close', () => closed.resolve());
      asked.resolve();
    });
    const leaving = new AbortController();
    const asking = s
      .ask('GET', `${SYNC}?since=s0&timeout=20000`, { signal: leaving.signal })
      .catch(() => 'gone');
    await asked.promise;
    leaving.abort();
    expect(await asking).toBe('gone');
    await closed.promise;
  });
});

test('a room that became joined since is looked up before it is shown, for a scope of all rooms', async () => {
  await using s = await stage({ rooms: 'all', joined: [OPS] });
  s.homeserver.answer(() => ({
    next_batch: 's1',
    rooms: { join: { [OPS]: room('a'), [DEV]: room('new'), [SECRET]: room('excluded') } },
  }));
  s.desk.join('7F3K9Q' as never, [OPS, DEV]);
  const { body } = await s.ask('GET', SYNC);
  expect(Object.keys((body['rooms'] as { join: object }).join)).toEqual([OPS, DEV]);
  expect(s.desk.refreshes).toBe(1);
  expect(JSON.parse(s.homeserver.seen[0]?.query.get('filter') ?? '')).not.toHaveProperty('room.rooms');
});

test('the create event Synapse loses from a pushed-down scope is put back', async () => {
  await using s = await stage({ rooms: [DEV] });
  const create = event('create', { type: 'm.room.create', state_key: '', content: { room_version: '12' } });
  s.homeserver.answer(({ path }) =>
    path.includes('m.room.create') ? create : { next_batch: 's1', rooms: { join: { [DEV]: room('a') } } },
  );
  const { body } = await s.ask('GET', SYNC);
  expect(body).toMatchObject({ rooms: { join: { [DEV]: { state: { events: [create, {}] } } } } });
});
