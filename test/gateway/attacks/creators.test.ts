import { describe, expect, test } from 'vitest';
import type { RoomId } from '../../../src/domain/ids.ts';
import type { Scope } from '../../../src/domain/scope.ts';
import { OPS, SECRET } from '../support/grants.ts';
import { stage } from '../support/stage.ts';

const V3 = '/_matrix/client/v3';
const GRANT = '7F3K9Q' as never;
const BRIDGED = '!bridged:hs.test' as RoomId;
const by = (more: Partial<Scope> = {}) => ({
  scope: { v: 1, rooms: 'all', can: ['read'], by: ['@bot:hs.test'], ...more } as Scope,
});
const message = (id: string) => ({
  type: 'm.room.message',
  event_id: `$${id}`,
  sender: '@x:hs.test',
  origin_server_ts: 1,
  content: { body: id },
});
const create = (sender: string) => ({
  type: 'm.room.create',
  state_key: '',
  sender,
  content: { creator: sender },
});
const joined = (...ids: string[]) => ({ timeline: { events: ids.map(message) }, state: { events: [] } });

describe('a scope by creator', () => {
  test('takes nobody’s word in an answer for who made a room', async () => {
    await using s = await stage({ rooms: 'all', joined: [BRIDGED], grant: by() });
    s.homeserver.answer(() => ({
      next_batch: 's1',
      rooms: {
        join: {
          [SECRET]: {
            timeline: { events: [message('a')] },
            state: { events: [{ ...create('@bot:hs.test'), event_id: '$c', origin_server_ts: 1 }] },
          },
        },
        // As an inviting server can write it.
        invite: {
          [OPS]: {
            invite_state: {
              events: [
                create('@bot:hs.test'),
                { type: 'm.room.name', state_key: '', sender: '@bot:hs.test', content: { name: 'x' } },
              ],
            },
          },
        },
        leave: { '!left:hs.test': joined('b') },
        knock: { '!knocked:hs.test': { knock_state: { events: [create('@bot:hs.test')] } } },
      },
    }));
    const got = await s.ask('GET', `${V3}/sync?timeout=0`);
    expect(got).toMatchObject({
      status: 200,
      body: { rooms: { join: {}, invite: {}, leave: {}, knock: {} } },
    });
    expect(JSON.stringify(got.body)).not.toMatch(/secret|ops|left|knocked|"x"/);
    expect(s.desk.refreshes).toBeGreaterThan(0);
  });

  test('shows a later room, and an invite, once the lifecycle says that they are in scope', async () => {
    await using s = await stage({ rooms: 'all', joined: [], grant: by() });
    const [LATER, INVITED] = ['!later:hs.test' as RoomId, '!invited:hs.test' as RoomId];
    s.desk.join(GRANT, [LATER, INVITED]);
    s.homeserver.answer(() => ({
      next_batch: 's1',
      rooms: {
        join: { [LATER]: joined('a'), [SECRET]: joined('b') },
        invite: {
          [INVITED]: { invite_state: { events: [create('@bot:hs.test')] } },
          [OPS]: { invite_state: { events: [create('@bot:hs.test')] } },
        },
      },
    }));
    const { body } = await s.ask('GET', `${V3}/sync?timeout=0`);
    const { join, invite } = body['rooms'] as { join: object; invite: object };
    expect([Object.keys(join), Object.keys(invite)]).toEqual([[LATER], [INVITED]]);
    expect(JSON.stringify(body)).not.toMatch(/secret|ops/);
  });

  test.each([
    ['GET', `${V3}/rooms/${SECRET}/messages`],
    ['GET', `${V3}/rooms/${SECRET}/state`],
    ['POST', `${V3}/join/${SECRET}`],
    ['POST', `${V3}/rooms/${SECRET}/join`],
  ])('refuses %s %s without asking', async (method, path) => {
    await using s = await stage({ rooms: 'all', joined: [BRIDGED], grant: by({ can: ['read', 'join'] }) });
    expect(await s.ask(method, path, method === 'GET' ? {} : { body: '{}' })).toMatchObject({ status: 403 });
    expect(s.homeserver.seen).toEqual([]);
  });

  test('does not tell the homeserver which rooms, so that a new one is heard of', async () => {
    await using s = await stage({ rooms: 'all', joined: [BRIDGED], grant: by() });
    s.homeserver.answer(() => ({ next_batch: 's1' }));
    await s.ask('GET', `${V3}/sync?timeout=0`);
    expect(s.homeserver.seen[0]?.url).not.toContain('bridged');
  });
});

describe('a room that is replaced', () => {
  const upgrade = () => ({
    next_batch: 's1',
    rooms: {
      join: {
        [OPS]: {
          timeline: {
            events: [
              {
                ...message('t'),
                type: 'm.room.tombstone',
                state_key: '',
                content: { body: 'gone', replacement_room: SECRET },
              },
            ],
          },
        },
        [SECRET]: {
          state: {
            events: [
              {
                ...create('@x:hs.test'),
                event_id: '$c',
                origin_server_ts: 1,
                content: { predecessor: { room_id: OPS, event_id: '$t' } },
              },
            ],
          },
          timeline: { events: [message('new')] },
        },
      },
    },
  });

  test('is not followed unasked, whatever both rooms say', async () => {
    await using s = await stage({ rooms: [OPS] });
    s.homeserver.answer(upgrade);
    const { body } = await s.ask('GET', `${V3}/sync?timeout=0`);
    expect(Object.keys((body['rooms'] as { join: object }).join)).toEqual([OPS]);
    expect(s.desk.refreshes).toBe(0);
    expect((await s.ask('GET', `${V3}/rooms/${SECRET}/messages`)).status).toBe(403);
  });

  test('is followed where that was asked for and the lifecycle agrees, in the same answer', async () => {
    for (const agrees of [true, false]) {
      await using s = await stage({ rooms: [OPS], grant: by({ rooms: [OPS], followUpgrades: true }) });
      s.desk.join(GRANT, agrees ? [OPS, SECRET] : [OPS]);
      s.homeserver.answer(upgrade);
      const { body } = await s.ask('GET', `${V3}/sync?timeout=0`);
      expect(Object.keys((body['rooms'] as { join: object }).join)).toEqual(agrees ? [OPS, SECRET] : [OPS]);
      // The new room must be heard of, so the rooms are not said upstream.
      expect(s.homeserver.seen[0]?.url).not.toContain('ops');
    }
  });
});
