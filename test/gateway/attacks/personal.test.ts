import { describe, expect, test } from 'vitest';
import { ALICE, DEV, OPS, SECRET } from '../support/grants.ts';
import {
  BOB,
  changesAt,
  inRoom,
  me,
  ofMine,
  personalStage,
  roomData,
  STRANGER,
  V3,
} from '../support/personal-homeserver.ts';

const TYPE = 'com.example.rooms';
const ONE = ['read', `account-data:${TYPE}`] as const;
const OTHERS = [encodeURIComponent(BOB), BOB, '@ALICE:hs.test', '@alice:hs.test.evil', `${me}%20`];
const NEVER = [
  'm.direct',
  'm.ignored_user_list',
  'm.push_rules',
  'm.secret_storage.default_key',
  'm.invite_permission_config',
  'org.matrix.msc4380.invite_permission_config',
  'org.matrix.msc3659.invite_rules',
  'm.cross_signing.master',
  'm.fully_read',
  'm.tag',
  'm.widgets',
];

describe('account data', () => {
  test('is there by type alone, without rooms outside the scope', async () => {
    await using s = await personalStage([...ONE]);
    expect((await s.ask('GET', ofMine(`account_data/${TYPE}`))).body).toEqual({
      list: [OPS],
      by: { [OPS]: 1 },
      words: 'stay',
    });
    expect((await s.ask('GET', roomData(OPS, `account_data/${TYPE}`))).status).toBe(200);
    const asked = s.homeserver.seen.length;
    for (const type of [
      ...NEVER,
      'com.example.room',
      'com.example.rooms.x',
      'COM.EXAMPLE.ROOMS',
      'm.%20direct',
      `${TYPE}%20`,
      '*',
    ]) {
      expect([type, (await s.ask('GET', ofMine(`account_data/${type}`))).status]).toEqual([type, 404]);
      expect([type, (await s.ask('GET', roomData(OPS, `account_data/${type}`))).status]).toEqual([type, 404]);
    }
    for (const user of OTHERS)
      expect((await s.ask('GET', ofMine(`account_data/${TYPE}`, user))).status).toBe(404);
    expect((await s.ask('GET', roomData(SECRET, `account_data/${TYPE}`))).status).toBe(404);
    expect(s.homeserver.seen).toHaveLength(asked);
  });

  test('without the capability it is never there, and nothing is asked', async () => {
    await using s = await personalStage(['read', 'tags', 'markers', 'push-rules']);
    for (const type of [TYPE, ...NEVER.slice(0, 7)])
      expect((await s.ask('GET', ofMine(`account_data/${type}`))).status).toBe(404);
    expect(s.homeserver.seen).toEqual([]);
    expect(
      (await s.ask('PUT', ofMine(`account_data/${TYPE}`), { body: '{}' })).headers.get('www-authenticate'),
    ).toContain('account-data');
  });

  test('is written as the subject, in its own words, nothing of the query', async () => {
    await using s = await personalStage([...ONE]);
    expect(
      (await s.ask('PUT', `${ofMine(`account_data/${TYPE}`)}?x=1`, { body: '{"a":[1,"b"]}' })).body,
    ).toEqual({});
    expect((await s.ask('PUT', roomData(OPS, `account_data/${TYPE}`), { body: '{"b":2}' })).body).toEqual({});
    expect(changesAt(s)).toEqual([
      { method: 'PUT', path: `${V3}/user/${ALICE}/account_data/${TYPE}`, query: '', body: { a: [1, 'b'] } },
      {
        method: 'PUT',
        path: `${V3}/user/${ALICE}/rooms/${OPS}/account_data/${TYPE}`,
        query: '',
        body: { b: 2 },
      },
    ]);
  });

  test('that could blind the subject is written by no scope, under no spelling', async () => {
    await using s = await personalStage([
      'read',
      'account-data:m.*',
      'account-data:org.matrix.*',
      'account-data:com.*',
      'account-data:im.*',
      'tags',
      'push-rules',
    ]);
    const spelled = NEVER.flatMap((type) => [
      type,
      `${type}%00`,
      `${type}%20`,
      `%20${type}`,
      `${type}/`,
      `${type}%2F`,
      `${type};x`,
      `${type}?x=1`,
      type.replace('.', '%2e'),
      type.replace('.', '%252e'),
      `${type}%E2%80%8B`,
      `./${type}`,
      `x/../${type}`,
      `${type}%EF%BB%BF`,
    ]);
    for (const type of spelled) {
      for (const method of ['PUT', 'POST', 'DELETE']) {
        for (const path of [ofMine(`account_data/${type}`), roomData(OPS, `account_data/${type}`)]) {
          const { status } = await s.ask(method, path, {
            body: '{"ignored_users":{"@mintwarden:hs.test":{}}}',
          });
          expect([400, 403, 404]).toContain(status);
        }
      }
    }
    expect(s.homeserver.seen).toEqual([]);
  }, 20_000);

  test('of others, and of rooms outside the scope, is refused alike', async () => {
    await using s = await personalStage([...ONE]);
    const body = '{}';
    for (const user of OTHERS) {
      expect((await s.ask('PUT', ofMine(`account_data/${TYPE}`, user), { body })).status).toBe(403);
      expect((await s.ask('PUT', roomData(OPS, `account_data/${TYPE}`, user), { body })).status).toBe(403);
    }
    expect((await s.ask('PUT', roomData(SECRET, `account_data/${TYPE}`), { body })).status).toBe(403);
    expect((await s.ask('PUT', roomData('!none:hs.test', `account_data/${TYPE}`), { body })).status).toBe(
      403,
    );
    for (const bad of ['[]', '"x"', '{"a":1,"a":2}', `{"a":"${'x'.repeat(70_000)}"}`]) {
      expect([400, 413]).toContain(
        (await s.ask('PUT', ofMine(`account_data/${TYPE}`), { body: bad })).status,
      );
    }
    expect(s.homeserver.seen).toEqual([]);
  });

  test('marks a room as unread with `markers`, and nothing else', async () => {
    await using s = await personalStage(['read', 'markers']);
    expect(
      (await s.ask('PUT', roomData(OPS, 'account_data/m.marked_unread'), { body: '{"unread":true,"x":1}' }))
        .status,
    ).toBe(200);
    for (const path of [
      roomData(SECRET, 'account_data/m.marked_unread'),
      ofMine('account_data/m.marked_unread'),
      roomData(OPS, 'account_data/m.fully_read'),
    ]) {
      expect((await s.ask('PUT', path, { body: '{"unread":true}' })).status).toBe(403);
    }
    expect(
      (await s.ask('PUT', roomData(OPS, 'account_data/m.marked_unread'), { body: '{"unread":"yes"}' }))
        .status,
    ).toBe(400);
    expect(changesAt(s).map(({ body }) => body)).toEqual([{ unread: true }]);
    expect((await s.ask('GET', roomData(OPS, 'account_data/m.fully_read'))).body).toEqual({
      event_id: '$own',
    });
    expect((await s.ask('GET', ofMine('account_data/m.fully_read'))).status).toBe(404);
  });
});

describe('tags', () => {
  test('are seen and set in rooms in scope, by their order alone', async () => {
    await using s = await personalStage(['tags']);
    expect((await s.ask('GET', roomData(OPS, 'tags'))).body).toEqual({ tags: { 'u.work': { order: 0.5 } } });
    await s.ask('PUT', roomData(OPS, 'tags/m.favourite'), { body: '{"order":0.1,"x":{}}' });
    await s.ask('PUT', roomData(OPS, 'tags/u.a%20b'));
    await s.ask('DELETE', roomData(OPS, 'tags/m.favourite'));
    const path = `${V3}/user/${ALICE}/rooms/${OPS}/tags/m.favourite`;
    expect(changesAt(s)).toEqual([
      { method: 'PUT', path, query: '', body: { order: 0.1 } },
      { method: 'PUT', path: path.replace('m.favourite', 'u.a b'), query: '', body: {} },
      { method: 'DELETE', path, query: '', body: null },
    ]);
  });

  // Synapse itself takes tags for rooms one is not in (element-hq/synapse#17819).
  test('of others, of rooms outside the scope, and without the capability are refused before anything is asked', async () => {
    await using s = await personalStage(['tags']);
    await using bare = await personalStage(['read', 'markers', 'account-data:u.*']);
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const tail = method === 'GET' ? 'tags' : 'tags/u.x';
      const options = method === 'GET' ? {} : { body: '{}' };
      expect((await s.ask(method, roomData(SECRET, tail), options)).status).toBe(403);
      for (const user of OTHERS)
        expect((await s.ask(method, roomData(OPS, tail, user), options)).status).toBe(403);
      expect(
        (await bare.ask(method, roomData(OPS, tail), options)).headers.get('www-authenticate'),
      ).toContain('tags');
    }
    expect((await s.ask('PUT', roomData(OPS, `tags/${'x'.repeat(300)}`))).status).toBe(400);
    expect((await s.ask('PUT', roomData(OPS, 'tags/x'), { body: '{"order":"0.1"}' })).status).toBe(400);
    expect([...s.homeserver.seen, ...bare.homeserver.seen]).toEqual([]);
  });
});

describe('a tag that clients act on', () => {
  test.each([
    'm.server_notice',
    'm.unknown',
    'im.vector.fake.direct',
    'com.example.x',
    'x',
    'M.favourite',
    'u.',
  ])('%s is neither set nor taken away', async (tag) => {
    await using s = await personalStage(['tags']);
    for (const method of ['PUT', 'DELETE'])
      expect((await s.ask(method, roomData(OPS, `tags/${tag}`), { body: '{}' })).status).toBe(403);
    expect(s.homeserver.seen).toEqual([]);
  });
});

describe('account data that nobody decided about', () => {
  test.each([
    ['account-data:m.*', 'm.media_preview_config'],
    ['account-data:m.media*', 'm.media_preview_config'],
    ['account-data:org.*', 'org.matrix.preview_urls'],
    ['account-data:io.element.*', 'io.element.anything'],
    ['account-data:im.vector.*', 'im.vector.web.settings'],
    ['account-data:com.*', 'com.example.a'],
  ] as const)('%s does not stand for %s', async (can, type) => {
    await using s = await personalStage([can]);
    for (const path of [ofMine(`account_data/${type}`), roomData(OPS, `account_data/${type}`)]) {
      expect((await s.ask('PUT', path, { body: '{}' })).status).toBe(403);
      expect((await s.ask('GET', path)).status).toBe(404);
    }
    expect(s.homeserver.seen).toEqual([]);
  });
});

describe('push rules', () => {
  const RULE = `${V3}/pushrules/global`;

  test('are five empty lists without the capability, and nothing is asked', async () => {
    await using s = await personalStage(['read', 'notifications', 'account-data:m.*']);
    expect((await s.ask('GET', `${V3}/pushrules/`)).body).toEqual({
      global: { override: [], content: [], room: [], sender: [], underride: [] },
    });
    expect((await s.ask('GET', `${RULE}/content/launch`)).status).toBe(403);
    expect(s.homeserver.seen).toEqual([]);
  });

  test('name no room outside the scope, and no person', async () => {
    await using s = await personalStage(['push-rules']);
    const { body } = await s.ask('GET', `${V3}/pushrules/`);
    const lists = (body as { global: Record<string, { rule_id: string }[]> }).global;
    expect(
      Object.fromEntries(
        Object.entries(lists).map(([kind, rules]) => [kind, rules.map((rule) => rule.rule_id)]),
      ),
    ).toEqual({
      override: ['.m.rule.master', OPS],
      content: ['launch'],
      room: [OPS],
      sender: [ALICE],
      underride: [],
    });
    expect(JSON.stringify(body)).not.toMatch(/secret|stranger|leak/i);
    expect((await s.ask('GET', `${RULE}/`)).body).toEqual(lists);
    expect((await s.ask('GET', `${RULE}/content/launch/enabled`)).body).toEqual({ enabled: true });
    expect((await s.ask('GET', `${RULE}/content/launch/actions`)).body).toEqual({
      actions: ['notify', { set_tweak: 'sound', value: 'default' }],
    });
    for (const rule of [
      `room/${encodeURIComponent(SECRET)}`,
      `override/${encodeURIComponent(SECRET)}`,
      `sender/${STRANGER}`,
      'override/odd',
      'content/none',
      'device/x',
    ]) {
      for (const part of ['', '/enabled', '/actions'])
        expect([rule, (await s.ask('GET', `${RULE}/${rule}${part}`)).status]).toEqual([rule, 404]);
    }
    expect(new Set(s.homeserver.seen.map(({ url }) => url))).toEqual(new Set([`${V3}/pushrules/`]));
  });

  test('are written by nobody, in every method', async () => {
    await using s = await personalStage(['read', 'push-rules', 'account-data:m.*', 'notifications']);
    for (const method of ['PUT', 'POST', 'DELETE']) {
      for (const below of [
        'content/launch',
        'content/launch/enabled',
        'content/launch/actions',
        'override/.m.rule.master/enabled',
        'content/launch/',
        'content',
        '',
        'content/a/b/c',
      ]) {
        const { status } = await s.ask(method, `${RULE}/${below}?after=x`, {
          body: '{"enabled":true,"actions":[]}',
        });
        expect([403, 404]).toContain(status);
      }
    }
    expect(s.homeserver.seen).toEqual([]);
  });
});

describe('notifications', () => {
  test('come from rooms in scope alone, over as many pages as it takes, and no gap tells of the others', async () => {
    await using s = await personalStage(['read', 'notifications']);
    const { body } = await s.ask('GET', `${V3}/notifications?limit=2&only=highlight&x=1`);
    expect(body).toEqual({
      notifications: ['$o1', '$o2'].map(
        (id) =>
          expect.objectContaining({
            room_id: OPS,
            event: expect.objectContaining({ event_id: id }) as unknown,
          }) as unknown,
      ),
    });
    expect(JSON.stringify(body)).not.toMatch(/secret|leak|spoof/);
    expect(s.homeserver.seen.map(({ query }) => Object.fromEntries(query))).toEqual([
      { limit: '2', only: 'highlight' },
      { from: '9', limit: '2', only: 'highlight' },
      { from: '8', limit: '2', only: 'highlight' },
      { from: '7', limit: '1', only: 'highlight' },
    ]);
  });

  test('stop at the number wanted, with the token of that place', async () => {
    await using s = await personalStage(['read', 'notifications']);
    expect((await s.ask('GET', `${V3}/notifications?limit=1&from=8`)).body).toMatchObject({
      next_token: '7',
      notifications: [{ room_id: OPS }],
    });
  });

  test('show words where the scope reads them, and end where the homeserver goes round in circles', async () => {
    await using s = await personalStage(['notifications']);
    const { body } = await s.ask('GET', `${V3}/notifications?from=8`);
    expect(JSON.stringify(body)).toContain('"content":{}');
    expect(JSON.stringify(body)).not.toContain('in !ops');
    s.homeserver.seen.length = 0;
    s.homeserver.answer(() => ({ next_token: '5', notifications: [] }));
    expect((await s.ask('GET', `${V3}/notifications`)).body).toEqual({ notifications: [] });
    expect(s.homeserver.seen.length).toBeLessThanOrEqual(10);
    let page = 0;
    s.homeserver.answer(() => ({ next_token: String(++page), notifications: [] }));
    expect((await s.ask('GET', `${V3}/notifications`)).body).toEqual({ notifications: [], next_token: '10' });
  });

  test.each(['limit=0', 'limit=x', 'from=!secret:hs.test', 'only=all', 'from=%24x'])(
    '?%s is not understood',
    async (query) => {
      await using s = await personalStage(['notifications']);
      expect((await s.ask('GET', `${V3}/notifications?${query}`)).status).toBe(400);
      expect(s.homeserver.seen).toEqual([]);
    },
  );

  test('are refused without the capability', async () => {
    await using s = await personalStage(['read', 'push-rules']);
    expect((await s.ask('GET', `${V3}/notifications`)).headers.get('www-authenticate')).toContain(
      'notifications',
    );
    expect(
      (await s.ask('GET', '/_matrix/client/unstable/io.element.msc4308/thread_subscriptions')).status,
    ).toBe(403);
    expect(s.homeserver.seen).toEqual([]);
  });
});

describe('thread subscriptions', () => {
  const LIST = '/_matrix/client/unstable/io.element.msc4308/thread_subscriptions';
  const one = (room: string, root: string) =>
    `/_matrix/client/unstable/io.element.msc4306/rooms/${encodeURIComponent(room)}/thread/${root}/subscription`;

  test('are read in rooms in scope, and changed by nobody', async () => {
    await using s = await personalStage(['notifications', 'read']);
    expect((await s.ask('GET', LIST)).body).toEqual({
      subscribed: { [OPS]: { $own: { automatic: false, bump_stamp: 3 } } },
      unsubscribed: {},
      end: '5',
    });
    expect((await s.ask('GET', one(OPS, '$own'))).body).toEqual({ automatic: true });
    for (const path of [one(SECRET, '$own'), one(OPS, '$elsewhere'), one(OPS, '$none')])
      expect((await s.ask('GET', path)).status).toBe(403);
    for (const method of ['PUT', 'DELETE'])
      expect((await s.ask(method, one(OPS, '$own'), { body: '{}' })).status).toBe(403);
    expect(changesAt(s)).toEqual([]);
    expect((await s.ask('GET', `${LIST}?dir=f`)).status).toBe(400);
    for (const { url } of s.homeserver.seen) expect(decodeURIComponent(url)).not.toContain(SECRET);
  });
});

test('a scope of all rooms still has rooms outside it', async () => {
  await using s = await personalStage(['read', `account-data:${TYPE}`, 'push-rules', 'notifications'], {
    rooms: 'all',
  });
  expect((await s.ask('GET', ofMine(`account_data/${TYPE}`))).body).toEqual({
    list: [OPS],
    by: { [OPS]: 1 },
    words: 'stay',
  });
  for (const path of [`${V3}/pushrules/`, `${V3}/notifications`])
    expect(JSON.stringify((await s.ask('GET', path)).body)).not.toContain('secret:');
  expect((await s.ask('GET', inRoom(DEV, 'account_data/x'))).status).toBe(404);
});
