import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Permission } from '../../../src/domain/permission.ts';
import type { RoomId } from '../../../src/domain/ids.ts';
import { filterSync } from '../../../src/gateway/filters/sync.ts';
import { pushedSyncFilter } from '../../../src/gateway/sync/sync-filter.ts';
import { ALICE, DEV, OPS, SECRET } from '../support/grants.ts';

const BOB = '@bob:hs.test';

/**
 * Each part of a sync that is the subject's own: the word that stands in it, and which of these capabilities
 * open it.
 */
const OPENED_BY: Readonly<Record<string, readonly Permission[]>> = {
  TYPING: ['typing'],
  READ: ['receipts'],
  PRIVATE: ['markers'],
  TAG: ['tags'],
  FULLY: ['markers'],
  UNREAD: ['markers'],
  ROOMDATA: ['account-data:com.example.*', 'account-data:com.example.a'],
  DATA: ['account-data:com.example.*', 'account-data:com.example.a'],
  OTHERDATA: ['account-data:com.example.*'],
  RULE: ['push-rules'],
  COUNT: ['notifications'],
  THREAD: ['notifications'],
  PRESENT: ['presence'],
  // In no scope: excluded types, other people's presence and private receipts, keys and devices, other rooms,
  // unknown sections.
  DIRECT: [],
  IGNORED: [],
  SECRETKEY: [],
  STRANGER: [],
  HIS: [],
  DEVICE: [],
  ELSEWHERE: [],
  UNKNOWN: [],
};
const WORDS = Object.keys(OPENED_BY);
const CAN: readonly Permission[] = [
  'read',
  'send',
  'typing',
  'receipts',
  'markers',
  'tags',
  'account-data:com.example.*',
  'account-data:com.example.a',
  'account-data:m.*',
  'push-rules',
  'notifications',
  'presence',
  'profile',
  'directory',
];

type Section = (has: ReadonlySet<string>) => unknown;
const when = (has: ReadonlySet<string>, word: string, value: unknown): unknown[] =>
  has.has(word) ? [value] : [];

const room: Section = (has) => ({
  timeline: { events: [] },
  account_data: {
    events: [
      ...when(has, 'TAG', { type: 'm.tag', content: { tags: { 'u.TAG': { order: 1 } } } }),
      ...when(has, 'FULLY', { type: 'm.fully_read', content: { event_id: '$FULLY' } }),
      ...when(has, 'UNREAD', { type: 'm.marked_unread', content: { unread: true, UNKNOWN: 1 } }),
      ...when(has, 'ROOMDATA', { type: 'com.example.a', content: { ROOMDATA: 1, room: SECRET } }),
      ...when(has, 'SECRETKEY', { type: 'm.secret_storage.x', content: { SECRETKEY: 1 } }),
    ],
  },
  ephemeral: {
    events: [
      ...when(has, 'TYPING', { type: 'm.typing', content: { user_ids: ['@TYPING:hs.test'], UNKNOWN: 1 } }),
      ...when(has, 'READ', {
        type: 'm.receipt',
        content: { $READ: { 'm.read': { [BOB]: { ts: 1, UNKNOWN: 1 } } } },
      }),
      ...when(has, 'PRIVATE', {
        type: 'm.receipt',
        content: { $PRIVATE: { 'm.read.private': { [ALICE]: { ts: 1 } } } },
      }),
      ...when(has, 'HIS', {
        type: 'm.receipt',
        content: { $HIS: { 'm.read.private': { [BOB]: { ts: 1 } } } },
      }),
      ...when(has, 'UNKNOWN', { type: 'org.UNKNOWN', content: { UNKNOWN: 1 } }),
    ],
  },
  unread_notifications: has.has('COUNT') ? { notification_count: 4711, UNKNOWN: 1 } : {},
  ...(has.has('THREAD')
    ? { unread_thread_notifications: { $THREAD: { notification_count: 4712, UNKNOWN: 1 } } }
    : {}),
  ...(has.has('UNKNOWN') ? { 'org.UNKNOWN': 1 } : {}),
});

const answer = (has: ReadonlySet<string>) => ({
  next_batch: 's1',
  account_data: {
    events: [
      ...when(has, 'DATA', {
        type: 'com.example.a',
        content: { DATA: 1, [SECRET]: 'ELSEWHERE', list: [OPS, SECRET] },
      }),
      ...when(has, 'OTHERDATA', { type: 'com.example.b', content: { OTHERDATA: 1 } }),
      ...when(has, 'RULE', {
        type: 'm.push_rules',
        content: {
          global: {
            content: [{ rule_id: 'RULE', enabled: true, pattern: 'RULE', actions: [] }],
            room: [{ rule_id: SECRET, actions: [] }],
          },
        },
      }),
      ...when(has, 'DIRECT', { type: 'm.direct', content: { DIRECT: [SECRET] } }),
      ...when(has, 'IGNORED', { type: 'm.ignored_user_list', content: { IGNORED: 1 } }),
    ],
  },
  presence: {
    events: [
      ...when(has, 'PRESENT', {
        type: 'm.presence',
        sender: ALICE,
        content: { presence: 'online', status_msg: 'PRESENT', UNKNOWN: 1 },
      }),
      ...when(has, 'STRANGER', {
        type: 'm.presence',
        sender: '@STRANGER:hs.test',
        content: { presence: 'online' },
      }),
    ],
  },
  ...(has.has('DEVICE')
    ? {
        to_device: { events: [{ DEVICE: 1 }] },
        device_lists: { changed: ['@DEVICE:hs.test'] },
        device_one_time_keys_count: { DEVICE: 1 },
      }
    : {}),
  rooms: {
    join: {
      [OPS]: room(has),
      ...(has.has('ELSEWHERE') ? { [SECRET]: { ...(room(new Set(WORDS)) as object), ELSEWHERE: 1 } } : {}),
    },
  },
});

const inWords = (text: string) =>
  text.replaceAll('4711', 'COUNT').replaceAll('4712', 'THREAD').replaceAll('"unread":true', 'UNREAD');
const cans = fc.subarray([...CAN]);
const words = fc.subarray(WORDS).map((some): ReadonlySet<string> => new Set(some));
const opened = (word: string, can: readonly Permission[]) =>
  // A thread is named by an event, whose type is not said.
  (word !== 'THREAD' || can.includes('read')) && (OPENED_BY[word] ?? []).some((one) => can.includes(one));

describe('whatever is in a sync and whatever the scope holds', () => {
  test('of the subject’s own exactly what the scope opens is shown, and only that is news', () => {
    let some = 0;
    fc.assert(
      fc.property(words, cans, fc.constantFrom('named', 'all'), fc.boolean(), (has, can, kind, empty) => {
        const scope = { v: 1, rooms: kind === 'all' ? 'all' : [OPS, DEV], can } as const;
        const rooms = new Set<RoomId>([OPS, DEV]);
        const { body, news } = filterSync(answer(has), rooms, empty, { subject: ALICE, scope });
        const text = inWords(JSON.stringify(body));
        const expected = WORDS.filter((word) => has.has(word) && opened(word, can) && text.includes(word));
        for (const word of WORDS) {
          if (!opened(word, can))
            expect([word, new RegExp(`\\b${word}|\\.${word}`).test(text)]).toEqual([word, false]);
        }
        expect(text).not.toContain(SECRET);
        if (!empty) {
          const quiet = new Set(['COUNT', 'THREAD']);
          const wakes =
            WORDS.some((word) => has.has(word) && opened(word, can) && !quiet.has(word)) ||
            (can.includes('notifications') && has.has('PRIVATE'));
          expect(news).toBe(wakes);
        }
        // With everything kept, all that is open is there.
        if (empty) expect(expected).toEqual(WORDS.filter((word) => has.has(word) && opened(word, can)));
        some += expected.length;
      }),
      { numRuns: 5_000 },
    );
    expect(some).toBeGreaterThan(2_000);
  });

  const patterns = fc.array(
    fc.constantFrom(
      'm.*',
      'm.receipt',
      'm.typing',
      '*',
      'com.example.a',
      'com.*',
      'm.push_rules',
      'm.*ct',
      'm.direct',
    ),
    { maxLength: 3 },
  );
  const part = fc.record(
    { types: patterns, not_types: patterns, senders: fc.constant([BOB]) },
    { requiredKeys: [] },
  );
  const asked = fc.record(
    {
      presence: part,
      account_data: part,
      room: fc.record({ account_data: part, ephemeral: part }, { requiredKeys: [] }),
    },
    { requiredKeys: [] },
  );

  test('a section that the scope does not open is not asked for, whatever filter is sent', () => {
    type Part = { types: string[]; not_types: string[]; senders?: string[] };
    fc.assert(
      fc.property(asked, cans, (filter, can) => {
        const pushed = pushedSyncFilter(filter, new Set([OPS]), {
          subject: ALICE,
          scope: { v: 1, rooms: [OPS], can },
        });
        const {
          presence,
          account_data: data,
          room: inRoom,
        } = pushed as unknown as {
          presence: Part;
          account_data: Part;
          room: { account_data: Part; ephemeral: Part };
        };
        const off = (one: Part) => one.types.length === 0;
        const has = (...names: Permission[]) => names.some((name) => can.includes(name));
        const anyData = can.some((one) => one.startsWith('account-data:'));
        if (!has('presence')) expect(off(presence)).toBe(true);
        else expect(presence.senders).toEqual([ALICE]);
        if (!anyData && !has('push-rules')) expect(off(data)).toBe(true);
        if (!anyData && !has('tags', 'markers')) expect(off(inRoom.account_data)).toBe(true);
        if (!has('typing', 'receipts', 'markers', 'notifications')) expect(off(inRoom.ephemeral)).toBe(true);
        if (!has('typing')) expect(inRoom.ephemeral.types).not.toContain('m.typing');
        if (!anyData) expect([...data.types, ...inRoom.account_data.types]).not.toContain('m.direct');
      }),
      { numRuns: 3_000 },
    );
  });
});

test('what is not as the specification says is left out, or the whole cannot be shown', () => {
  const view = { subject: ALICE, scope: { v: 1, rooms: [OPS], can: CAN } } as const;
  const show = (body: object) => filterSync({ next_batch: 's', ...body }, new Set([OPS]), false, view);
  const inOps = (entry: object) => ({ rooms: { join: { [OPS]: entry } } });
  expect(() => show({ account_data: [] })).toThrow('no proper');
  expect(() => show(inOps({ ephemeral: { events: {} } }))).toThrow('no proper');
  const odd = {
    account_data: {
      events: [null, 'x', { type: 'm.tag' }, { type: 5, content: {} }, { type: 'm.tag', content: [] }],
    },
  };
  expect(show(inOps(odd)).news).toBe(false);
  const signs = [
    {
      type: 'm.receipt',
      content: { notAnEvent: { 'm.read': { [BOB]: {} } }, $e: { 'm.read': { bob: { ts: 1 } } } },
    },
  ];
  expect(show(inOps({ ephemeral: { events: signs } })).news).toBe(false);
});

test('the rooms are said in each section where account data of rooms is asked for, which Synapse would drop otherwise', () => {
  const push = (can: readonly Permission[], filter: object = {}) =>
    pushedSyncFilter(filter, new Set([OPS, DEV]), {
      subject: ALICE,
      scope: { v: 1, rooms: [OPS, DEV], can },
    })?.['room'];
  const only = { rooms: [OPS, DEV] };
  expect(push(['read'])).toMatchObject({ ...only, timeline: {}, account_data: { types: [] } });
  expect(push(['read', 'typing'])).toMatchObject({ ...only, ephemeral: { types: ['m.typing'] } });
  const tags = push(['read', 'tags']);
  expect(tags).toEqual({
    account_data: { types: ['m.tag'] },
    ephemeral: { types: [], not_types: ['*'] },
    state: only,
    timeline: only,
  });
  const narrower = {
    room: { rooms: [OPS, SECRET], timeline: { rooms: [DEV, SECRET] }, state: { limit: 1 } },
  };
  expect(push(['read', 'tags', 'receipts'], narrower)).toMatchObject({
    timeline: { rooms: [] },
    state: { rooms: [OPS], limit: 1 },
    ephemeral: { rooms: [OPS], types: ['m.receipt'] },
  });
});
