import { describe, expect, test } from 'vitest';
import type { Permission } from '../../../src/domain/permission.ts';
import { canonical } from '../../../src/domain/scope.ts';
import { CATALOGUE } from '../../../src/gateway/endpoints/catalogue.ts';
import { readableTypesOf } from '../../../src/gateway/filters/readable-types.ts';
import { narrowedToTypes } from '../../../src/gateway/rewrite/event-filter.ts';
import { ALICE, DEV, grantOf, OPS } from '../support/grants.ts';
import { type Stage, stage, TOKEN } from '../support/stage.ts';
import {
  V3,
  V1,
  room,
  BOB,
  event,
  hidden,
  member,
  bundle,
  seen,
  summary,
  joined,
  answerTo,
} from '../support/typed-answers.ts';

// `read:TYPE`: every endpoint that needs `read`, before a homeserver that puts events of other types wherever
// events are, and inside of them. Whatever is of a type that is not read has `hidden` in it.

type Ask = readonly [method: string, path: string, body?: unknown];
const get = (path: string): Ask => ['GET', path];
const inRoom = (below: string, version = V3) => get(`${version}/rooms/${room}/${below}`);
const search = (more: object = {}) =>
  [
    'POST',
    `${V3}/search`,
    {
      search_categories: {
        room_events: {
          search_term: 'x',
          include_state: true,
          event_context: { include_profile: true },
          ...more,
        },
      },
    },
  ] as const;
const evil = encodeURIComponent(
  JSON.stringify({ types: ['m.reaction', 'm.*', '*', 'm.room.topic'], not_types: ['m.room.message'] }),
);

/**
 * Each endpoint that needs `read`, with requests to it. `shown`: it shows what is read; `closed`: it is not open
 * to `read:m.room.message`.
 */
const ENDPOINTS: Readonly<
  Record<
    string,
    { readonly shown?: readonly Ask[]; readonly bare?: readonly Ask[]; readonly closed?: readonly Ask[] }
  >
> = {
  sync: {
    shown: [
      get(`${V3}/sync`),
      get(`${V3}/sync?full_state=true`),
      get(
        `${V3}/sync?filter=${encodeURIComponent(`{"room":{"timeline":${decodeURIComponent(evil)},"state":${decodeURIComponent(evil)}}}`)}`,
      ),
      get('/_matrix/client/r0/sync?use_state_after=true'),
    ],
  },
  slidingSync: {
    shown: [
      [
        'POST',
        '/_matrix/client/unstable/org.matrix.simplified_msc3575/sync',
        {
          lists: {
            all: {
              ranges: [[0, 9]],
              timeline_limit: 9,
              required_state: [
                ['*', '*'],
                ['m.room.name', ''],
              ],
            },
          },
        },
      ],
    ],
  },
  getRoomEvents: { shown: [inRoom('messages?dir=b'), inRoom(`messages?dir=b&filter=${evil}`)] },
  getRoomState: { shown: [inRoom('state')] },
  getRoomStateByType: {
    shown: [inRoom('state/m.room.message?format=event')],
    closed: [
      inRoom('state/m.room.topic'),
      inRoom('state/m.room.create?format=event'),
      inRoom('state/M.ROOM.MESSAGE'),
      inRoom('state/m.room.message%20'),
      inRoom('state/m.room.%2a'),
      inRoom('state/%2a'),
    ],
  },
  getRoomStateByTypeSlash: {
    shown: [inRoom('state/m.room.message/?format=event')],
    closed: [inRoom('state/m.room.topic/'), inRoom('state/m.room.encryption/')],
  },
  getRoomStateWithKey: {
    shown: [inRoom('state/m.room.message/x?format=event')],
    closed: [
      inRoom('state/m.room.topic/x'),
      inRoom('state/m.space.child/%21x'),
      inRoom('state/m.room.third_party_invite/x?format=event'),
    ],
  },
  getMembersByRoom: { closed: [inRoom('members'), inRoom('members?membership=join')] },
  getJoinedMembersByRoom: { closed: [inRoom('joined_members')] },
  getOneRoomEvent: { shown: [inRoom('event/%24seen'), inRoom('event/%24seen-too')] },
  getEventContext: { shown: [inRoom('context/%24seen'), inRoom(`context/%24seen?filter=${evil}`)] },
  getRelatingEvents: { shown: [inRoom('relations/%24seen', V1)] },
  getRelatingEventsWithRelType: { shown: [inRoom('relations/%24seen/m.annotation?recurse=true', V1)] },
  getRelatingEventsWithRelTypeAndEventType: {
    shown: [inRoom('relations/%24seen/m.thread/m.room.message', V1)],
    closed: [
      inRoom('relations/%24seen/m.annotation/m.reaction', V1),
      inRoom('relations/%24seen/m.thread/m.room.%2a', V1),
    ],
  },
  getThreadRoots: {
    shown: [inRoom('threads', V1), get(`/_matrix/client/unstable/org.matrix.msc3856/rooms/${room}/threads`)],
  },
  getEventByTimestamp: {
    closed: [
      inRoom('timestamp_to_event?ts=1&dir=f', V1),
      get(`/_matrix/client/unstable/org.matrix.msc3030/rooms/${room}/timestamp_to_event?ts=1`),
    ],
  },
  getLocalAliases: { closed: [inRoom('aliases')] },
  getRoomSummary: {
    closed: [
      get(`${V1}/room_summary/${room}`),
      get(`/_matrix/client/unstable/im.nheko.summary/rooms/${room}/summary`),
    ],
  },
  search: {
    shown: [
      search(),
      search({ filter: { types: ['*'] } }),
      search({
        keys: ['content.body', 'content.topic'],
        groupings: { group_by: [{ key: 'sender' }, { key: 'room_id' }] },
      }),
    ],
  },
  getSpaceHierarchy: { closed: [inRoom('hierarchy', V1)] },
  getUserProfile: { closed: [get(`${V3}/profile/${BOB}`), get(`${V3}/profile/${ALICE}`)] },
  getProfileField: { closed: [get(`${V3}/profile/${BOB}/displayname`)] },
  getRoomIdByAlias: { closed: [get(`${V3}/directory/room/%23hidden:hs.test`)] },
  getRoomVisibilityOnDirectory: { closed: [get(`${V3}/directory/list/room/${room}`)] },
  joinRoom: {
    bare: [
      ['POST', `${V3}/join/${room}`, {}],
      ['POST', `${V3}/rooms/${room}/join`, {}],
    ],
  },
};

async function typed(can: readonly Permission[]): Promise<Stage> {
  const s = await stage({ rooms: [OPS] });
  // The one form that is stored.
  const scope = canonical({ v: 1, rooms: [OPS], can });
  s.desk.add(TOKEN, { grant: grantOf([OPS], { scope }), rooms: new Set([OPS]), device: true });
  s.homeserver.answer(({ path }) => answerTo(path));
  return s;
}

async function told(s: Stage, [method, path, body]: Ask) {
  const got = await s.ask(method, path, body === undefined ? {} : { body: JSON.stringify(body) });
  return { ...got, text: `${JSON.stringify(got.body)}${JSON.stringify([...got.headers])}` };
}

test('there is no endpoint that needs `read` and is not asked here', () => {
  const serving = CATALOGUE.filter(
    (endpoint) => 'needs' in endpoint && endpoint.kind !== 'refused' && endpoint.needs === 'read',
  );
  expect(serving.map(({ id }) => id).toSorted()).toEqual(Object.keys(ENDPOINTS).toSorted());
  // What opens by type shows something, and what does not is closed.
  for (const endpoint of serving) {
    if (endpoint.id === 'joinRoom') continue;
    expect([endpoint.id, 'byType' in endpoint && endpoint.byType === 'filtered']).toEqual([
      endpoint.id,
      ENDPOINTS[endpoint.id]?.shown !== undefined,
    ]);
  }
});

describe.each(Object.entries(ENDPOINTS))('%s', (_id, { shown = [], closed = [], bare = [] }) => {
  const READS = [
    ['read:m.room.message'],
    ['read:m.room.message', 'send:m.room.topic', 'media'],
    ['read:m.room.message', 'typing', 'receipts', 'join'],
  ] as const;

  test('shows what is read, and nothing of another type', async () => {
    for (const can of READS) {
      await using s = await typed(can);
      for (const one of shown) {
        const got = await told(s, one);
        expect([one, got.status, got.text.includes('seen')]).toEqual([one, 200, true]);
        expect(got.text).not.toMatch(
          /hidden|member-|90909|m\.reaction|m\.room\.(?:topic|name|create|redaction|encrypted|member)/,
        );
      }
      for (const one of bare) {
        const got = await told(s, one);
        expect([one, got.status, got.body]).toEqual([one, 200, { room_id: OPS }]);
      }
    }
  });

  test('is refused before anything is asked where it is made of other types', async () => {
    for (const can of READS.slice(0, 1)) {
      await using s = await typed(can);
      for (const one of closed) {
        const got = await told(s, one);
        expect([one, got.status, got.body['errcode']]).toEqual([one, 403, 'M_FORBIDDEN']);
        expect(got.text).not.toMatch(/hidden|member-/);
      }
      expect(s.homeserver.seen.map(({ url }) => url)).toEqual([]);
    }
  });

  test('shows nothing at all where no type that is there is read', async () => {
    await using s = await typed(['read:org.nothing', 'read:m.room.messagexyz*']);
    for (const one of [...shown, ...closed]) {
      const got = await told(s, one);
      expect(got.text).not.toMatch(/hidden|member-|seen|90909/);
    }
  });
});

describe('what is refused names what is missing', () => {
  test.each([
    ['members', 'read:m.room.message', 'read:m.room.member'],
    ['joined_members', 'read:m.room.message', 'read:m.room.member'],
    ['aliases', 'read:m.room.message', 'read'],
    ['members', 'send', 'read'],
  ] as const)('%s with %s: %s', async (below, can, lacks) => {
    await using s = await typed([can]);
    const got = await told(s, inRoom(below));
    expect([got.status, got.body['error']]).toEqual([
      403,
      `This token does not hold the capability ${lacks}.`,
    ]);
    expect(got.headers.get('www-authenticate')).toContain(`scope="${lacks}"`);
  });

  test('members and profiles open with their type', async () => {
    await using s = await typed(['read:m.room.member']);
    for (const one of [
      inRoom('members'),
      inRoom('joined_members'),
      get(`${V3}/profile/${ALICE}`),
      inRoom(`state/m.room.member/${BOB}?format=event`),
    ]) {
      const got = await told(s, one);
      expect([one, got.status]).toEqual([one, 200]);
      expect(got.text).toMatch(/member-/);
      expect(got.text).not.toMatch(/hidden|seen/);
    }
    const synced = await told(s, get(`${V3}/sync`));
    expect(synced.body).toMatchObject({ rooms: { join: { [OPS]: { summary } } } });
  });

  test('state of another type is told in the same words, whether it is there or not, and nobody is asked', async () => {
    await using s = await typed(['read:m.room.message']);
    const all = await Promise.all(
      ['m.room.topic', 'm.room.topic/', 'm.room.topic/x', 'org.none', `m.room.member/${BOB}`].map((type) =>
        told(s, inRoom(`state/${type}`)),
      ),
    );
    expect(new Set(all.map(({ status, body }) => JSON.stringify([status, body]))).size).toBe(1);
    expect(s.homeserver.seen).toEqual([]);
  });

  test('an event of another type is told as one that is not there', async () => {
    await using s = await typed(['read:m.room.message']);
    for (const below of ['event', 'context']) {
      const there = await told(s, inRoom(`${below}/%24hidden-0`));
      s.homeserver.answer(
        (_, response) =>
          void response
            .writeHead(404, { 'content-type': 'application/json' })
            .end('{"errcode":"M_NOT_FOUND"}'),
      );
      const gone = await told(s, inRoom(`${below}/%24hidden-0`));
      expect([there.status, there.body]).toEqual([gone.status, gone.body]);
      expect(there.status).toBe(404);
      s.homeserver.answer(({ path }) => answerTo(path));
    }
  });
});

describe('the homeserver is asked for what is read alone', () => {
  const filterOf = (s: Stage) =>
    JSON.parse(s.homeserver.seen.at(-1)?.query.get('filter') ?? 'null') as Record<string, unknown> | null;

  test('messages and context, whether the holder has a filter or not', async () => {
    await using s = await typed(['read:m.room.message', 'read:com.example.*']);
    const types = ['com.example.*', 'm.room.message'];
    for (const below of ['messages?dir=b', 'context/%24seen']) {
      await told(s, inRoom(below));
      expect([below, filterOf(s)]).toEqual([below, { types }]);
    }
    const filter = encodeURIComponent(
      JSON.stringify({ types: ['m.reaction', 'com.example.x', 'm.room.*'], limit: 5 }),
    );
    await told(s, inRoom(`messages?dir=b&filter=${filter}`));
    expect(filterOf(s)).toEqual({ types: ['com.example.x', 'm.room.message'], limit: 5 });
  });

  test('sync, timeline and state', async () => {
    await using s = await typed(['read:m.room.message']);
    await told(s, get(`${V3}/sync`));
    expect(filterOf(s)).toMatchObject({
      room: { timeline: { types: ['m.room.message'] }, state: { types: ['m.room.message'] } },
    });
  });

  test('sliding sync: no state of other types', async () => {
    await using s = await typed(['read:m.room.message', 'read:m.room.topic']);
    await told(s, [
      'POST',
      '/_matrix/client/unstable/org.matrix.simplified_msc3575/sync',
      {
        lists: {
          all: {
            ranges: [[0, 9]],
            required_state: [
              ['m.room.name', ''],
              ['m.room.topic', ''],
              ['*', '*'],
            ],
          },
        },
      },
    ]);
    expect(JSON.parse(s.homeserver.seen.at(-1)?.body ?? '')).toMatchObject({
      room_subscriptions: {
        [OPS]: {
          required_state: [
            ['m.room.topic', ''],
            ['*', '*'],
          ],
        },
      },
    });
  });

  test('a filter that picks by what relates to an event is refused: it would tell who reacted', async () => {
    await using s = await typed(['read:m.room.message']);
    for (const more of [{ related_by_senders: [BOB] }, { related_by_rel_types: ['m.annotation'] }]) {
      const filter = encodeURIComponent(JSON.stringify(more));
      const synced = encodeURIComponent(JSON.stringify({ room: { timeline: more } }));
      for (const one of [
        inRoom(`messages?dir=b&filter=${filter}`),
        inRoom(`context/%24seen?filter=${filter}`),
        get(`${V3}/sync?filter=${synced}`),
        search({ filter: more }),
      ]) {
        expect([one, (await told(s, one)).status]).toEqual([one, 400]);
      }
    }
    expect(s.homeserver.seen.filter(({ path }) => !path.endsWith('/joined_rooms'))).toEqual([]);
  });

  test('so many types that they cannot be said are left to the answer', () => {
    const can = Array.from(
      { length: 200 },
      (_, at): Permission => `read:com.example.a.long.name.of.a.type.${at}`,
    );
    expect(narrowedToTypes({ limit: 5 }, readableTypesOf({ can }))).toEqual({ limit: 5 });
  });
});

describe('a search', () => {
  const keysOf = (s: Stage) => {
    const sent = JSON.parse(
      s.homeserver.seen.findLast(({ path }) => path.endsWith('/search'))?.body ?? 'null',
    ) as null | { search_categories: { room_events: { keys: string[]; filter: { types: string[] } } } };
    return sent?.search_categories.room_events ?? null;
  };

  test('looks for no word in what is not read, or its pages and counts would tell of it', async () => {
    await using s = await typed(['read:m.room.message']);
    await told(s, search());
    expect(keysOf(s)).toMatchObject({ keys: ['content.body'], filter: { types: ['m.room.message'] } });
    await told(s, search({ keys: ['content.topic', 'content.body'] }));
    expect(keysOf(s)).toMatchObject({ keys: ['content.body'] });
  });

  test('of names and topics alone, where those are not read, is answered here', async () => {
    await using s = await typed(['read:m.room.message']);
    const got = await told(s, search({ keys: ['content.topic', 'content.name'] }));
    expect(got.body).toEqual({
      search_categories: { room_events: { results: [], count: 0, highlights: [] } },
    });
    expect(keysOf(s)).toBeNull();
  });

  test('counts nothing: Synapse counts before it looks at types', async () => {
    await using s = await typed(['read:m.room.message']);
    const answer = { search_categories: { room_events: { results: [], count: 7, highlights: [] } } };
    s.homeserver.answer(({ path }) => (path.endsWith('/joined_rooms') ? { joined_rooms: [OPS] } : answer));
    expect((await told(s, search())).body).toEqual({
      search_categories: { room_events: { results: [], highlights: [] } },
    });
  });
});

test('a long-poll sleeps on over what is not read, and wakes for what is', async () => {
  await using s = await typed(['read:m.room.message']);
  let asked = 0;
  const quiet = {
    timeline: { events: hidden, limited: false, prev_batch: 'p' },
    state: { events: [...hidden, member] },
    summary,
  };
  s.homeserver.answer(() => {
    asked++;
    return { next_batch: `s${asked}`, rooms: { join: { [OPS]: asked < 4 ? quiet : joined } } };
  });
  const got = await told(s, get(`${V3}/sync?since=s0&timeout=20000`));
  expect([asked, got.text.includes('seen')]).toEqual([4, true]);
  expect(got.text).not.toMatch(/hidden|member-/);
});

test('the create event that is put back is for who reads it', async () => {
  for (const [can, expected] of [
    ['read:m.room.message', false],
    ['read:m.room.m*', false],
    ['read:m.room.create', true],
  ] as const) {
    await using s = await stage({ rooms: [DEV], grant: { scope: { v: 1, rooms: [DEV], can: [can] } } });
    s.homeserver.answer(({ path }) =>
      path.includes('/state/')
        ? { type: 'm.room.create', state_key: '', sender: BOB, content: {}, event_id: '$c' }
        : { next_batch: 's', rooms: { join: { [DEV]: {} } } },
    );
    // The holder's own wildcards do not widen it.
    const filter = encodeURIComponent('{"room":{"state":{"types":["m.room.*","m.*.create*"]}}}');
    const got = await told(s, get(`${V3}/sync?filter=${filter}`));
    expect([can, got.text.includes('m.room.create')]).toEqual([can, expected]);
  }
});

test('beside `read`, a type says nothing: the stored form has none', () => {
  expect(canonical({ v: 1, rooms: [OPS], can: ['read:m.room.message', 'read'] }).can).toEqual(['read']);
});

describe('other capabilities beside', () => {
  test('notifications: what rang, its content where its type is read', async () => {
    await using s = await typed(['read:m.room.message', 'notifications']);
    const one = (of: unknown) => ({ actions: [], event: of, read: false, room_id: OPS, ts: 1 });
    s.homeserver.answer(() => ({
      notifications: [one(seen[0]), one(event('m.room.topic', 'topic-body', { unsigned: bundle }))],
    }));
    const got = await told(s, get(`${V3}/notifications`));
    expect(got.text).toContain('"body":"seen"');
    expect(got.text).not.toMatch(/hidden|"body":"topic-body"/);
  });

  test('notifications: nothing at all of an event of another type', async () => {
    const other = event('m.room.redaction', 'topic-body', { redacts: '$hidden', unsigned: bundle });
    for (const can of [['read:m.room.message', 'notifications'], ['notifications']] as const) {
      await using s = await typed([...can]);
      s.homeserver.answer(() => ({
        notifications: [{ actions: [], event: other, read: false, room_id: OPS, ts: 1 }],
      }));
      expect((await told(s, get(`${V3}/notifications`))).body).toEqual({
        notifications: [{ actions: [], event: { content: {} }, read: false, room_id: OPS, ts: 1 }],
      });
    }
  });

  test('notifications: threads are not named by events whose type is not read', async () => {
    await using s = await typed(['read:m.room.message', 'notifications']);
    s.homeserver.answer(() => ({
      next_batch: 's',
      rooms: {
        join: {
          [OPS]: {
            timeline: { events: [seen[0]] },
            unread_thread_notifications: { $hidden: { notification_count: 1 } },
          },
        },
      },
    }));
    expect((await told(s, get(`${V3}/sync`))).text).not.toContain('hidden');
    s.homeserver.seen.length = 0;
    const list = '/_matrix/client/unstable/io.element.msc4308/thread_subscriptions';
    expect((await told(s, get(list))).status).toBe(403);
    expect(s.homeserver.seen).toEqual([]);
  });

  test('who sends is told the algorithm alone', async () => {
    await using s = await typed(['read:m.room.message', 'send:m.room.message']);
    s.homeserver.answer(() => ({ algorithm: 'm.megolm.v1.aes-sha2', rotation_period_ms: 5, body: 'hidden' }));
    expect((await told(s, inRoom('state/m.room.encryption/'))).body).toEqual({
      algorithm: 'm.megolm.v1.aes-sha2',
    });
  });

  test('signs are taken, as clients give them unasked', async () => {
    await using s = await typed(['read:m.room.message']);
    const got = await told(s, ['POST', `${V3}/rooms/${room}/receipt/m.read/%24seen`, {}]);
    expect([got.status, s.homeserver.seen.length]).toEqual([200, 0]);
  });

  test('a join where one is joined says no more than that', async () => {
    await using s = await typed(['read:m.room.message']);
    s.homeserver.answer(() => ({ ...member, sender: ALICE, state_key: ALICE }));
    expect((await told(s, ['POST', `${V3}/join/${room}`, {}])).body).toEqual({ room_id: OPS });
    const set = await told(s, [
      'PUT',
      `${V3}/rooms/${room}/state/m.room.member/${ALICE}`,
      { membership: 'join' },
    ]);
    expect([set.status, set.body['errcode']]).toEqual([403, 'M_FORBIDDEN']);
  });
});
