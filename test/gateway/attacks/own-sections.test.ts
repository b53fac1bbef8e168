import { describe, expect, test } from 'vitest';
import type { Permission } from '../../../src/domain/permission.ts';
import { ALICE, grantOf, OPS, SECRET } from '../support/grants.ts';
import { stage } from '../support/stage.ts';

const SYNC = '/_matrix/client/v3/sync';
const BOB = '@bob:hs.test';
const read = (kind: string, user: string) => ({
  type: 'm.receipt',
  content: { $e: { [kind]: { [user]: { ts: 1, thread_id: 'main', leak: 1 } } } },
});
const typing = { type: 'm.typing', content: { user_ids: [BOB, 5], leak: 1 } };
const tag = { type: 'm.tag', content: { tags: { 'u.x': { order: 1 } } } };
const data = (type: string) => ({ type, content: { of: type } });
const room = (ephemeral: object[], account: object[] = []) => ({
  timeline: { events: [], prev_batch: 'p' },
  ephemeral: { events: ephemeral },
  account_data: { events: account },
  unread_notifications: { notification_count: 3, highlight_count: 1, leak: 1 },
});
const everything = room(
  [typing, read('m.read', BOB), read('m.read.private', ALICE)],
  [tag, data('com.example.a'), data('com.example.b')],
);
const ANSWER = {
  next_batch: 's1',
  account_data: { events: [data('com.example.a'), data('m.direct'), data('m.ignored_user_list')] },
  presence: {
    events: [ALICE, BOB].map((sender) => ({
      type: 'm.presence',
      sender,
      content: { presence: 'online', leak: 1 },
    })),
  },
  to_device: { events: [{ leak: 1 }] },
  rooms: { join: { [OPS]: everything, [SECRET]: everything } },
};
const of = (can: readonly Permission[]) => ({
  rooms: [OPS],
  grant: { scope: { ...grantOf([OPS]).scope, can: ['read', ...can] as const } },
});

describe('each capability opens its own sections of a sync, and no other', () => {
  const shownReceipt = (kind: string, user: string) => ({
    type: 'm.receipt',
    content: { $e: { [kind]: { [user]: { ts: 1, thread_id: 'main' } } } },
  });

  test.each<[string, readonly Permission[], object, object]>([
    ['nothing', [], {}, {}],
    ['what is of no section', ['send', 'profile', 'directory', 'push-rules', 'account-data:m.*'], {}, {}],
    [
      'typing',
      ['typing'],
      { ephemeral: { events: [{ type: 'm.typing', content: { user_ids: [BOB] } }] } },
      {},
    ],
    ['receipts', ['receipts'], { ephemeral: { events: [shownReceipt('m.read', BOB)] } }, {}],
    ['markers', ['markers'], { ephemeral: { events: [shownReceipt('m.read.private', ALICE)] } }, {}],
    ['tags', ['tags'], { account_data: { events: [tag] } }, {}],
    [
      'data of one type',
      ['account-data:com.example.a'],
      { account_data: { events: [data('com.example.a')] } },
      { account_data: { events: [data('com.example.a')] } },
    ],
    [
      'notifications',
      ['notifications'],
      { unread_notifications: { notification_count: 3, highlight_count: 1 } },
      {},
    ],
    [
      'presence',
      ['presence'],
      {},
      { presence: { events: [{ type: 'm.presence', sender: ALICE, content: { presence: 'online' } }] } },
    ],
  ])('%s', async (_, can, inRoom, besides) => {
    await using s = await stage(of(can));
    s.homeserver.answer(() => ANSWER);
    const bare = {
      timeline: { prev_batch: 'p', events: [] },
      state: { events: [] },
      summary: {},
      account_data: { events: [] },
      ephemeral: { events: [] },
      unread_notifications: {},
    };
    expect((await s.ask('GET', SYNC)).body).toEqual({
      next_batch: 's1',
      ...besides,
      rooms: { join: { [OPS]: { ...bare, ...inRoom } }, invite: {}, leave: {}, knock: {} },
    });
  });
});

describe('a poll', () => {
  test('sleeps on for everything that is not granted, and wakes for what is', async () => {
    await using s = await stage(of(['typing', 'notifications']));
    const asleep = [
      { join: { [OPS]: room([read('m.read', BOB), read('m.read.private', BOB)], [tag]) } },
      { join: { [SECRET]: everything } },
      { join: { [OPS]: room([{ type: 'org.odd', content: { [ALICE]: {} } }], [data('com.example.a')]) } },
    ];
    let count = 0;
    s.homeserver.answer(() => ({
      ...ANSWER,
      next_batch: `s${++count}`,
      rooms: asleep[count - 1] ?? { join: { [OPS]: room([typing]) } },
    }));
    const { body } = await s.ask('GET', `${SYNC}?since=s0&timeout=10000`);
    expect(body).toMatchObject({
      next_batch: 's4',
      rooms: { join: { [OPS]: { ephemeral: { events: [{ type: 'm.typing' }] } } } },
    });
  });

  test('wakes where the subject has read something, since the counts it is shown go down', async () => {
    await using s = await stage(of(['notifications']));
    let count = 0;
    s.homeserver.answer(() => ({
      next_batch: `s${++count}`,
      rooms: { join: { [OPS]: room([read('m.read', count === 2 ? ALICE : BOB)]) } },
    }));
    const { body } = await s.ask('GET', `${SYNC}?since=s0&timeout=10000`);
    expect(body).toMatchObject({
      next_batch: 's2',
      rooms: {
        join: { [OPS]: { unread_notifications: { notification_count: 3 }, ephemeral: { events: [] } } },
      },
    });
  });
});
