import { describe, expect, test } from 'vitest';
import { ALICE, OPS, SECRET } from '../support/grants.ts';
import { stage } from '../support/stage.ts';
import { BOB, changesAt, inRoom, me, personalStage } from '../support/personal-homeserver.ts';

const typing = (room: string, user = me) => inRoom(room, `typing/${user}`);
const receipt = (kind: string, id = '$own', room: string = OPS) =>
  inRoom(room, `receipt/${kind}/${encodeURIComponent(id)}`);
const on = '{"typing":true,"timeout":86400000}';

describe('without the capability', () => {
  test('everything is taken and nothing is done, as clients ask for it unasked', async () => {
    await using s = await personalStage(['read']);
    const markers = '{"m.fully_read":"$own","m.read":"$own","m.read.private":"$own"}';
    expect((await s.ask('PUT', typing(OPS), { body: on })).status).toBe(200);
    for (const kind of ['m.read', 'm.read.private', 'm.fully_read', 'org.odd']) {
      expect((await s.ask('POST', receipt(kind), { body: '{}' })).status).toBe(200);
      expect((await s.ask('POST', receipt(kind))).status).toBe(200);
    }
    expect((await s.ask('POST', inRoom(OPS, 'read_markers'), { body: markers })).status).toBe(200);
    expect(s.homeserver.seen).toEqual([]);
  });

  test('one of them opens none of the others', async () => {
    const all = '{"m.fully_read":"$own","m.read":"$own2","m.read.private":"$own3"}';
    const done: Record<string, unknown[]> = {};
    for (const can of ['typing', 'receipts', 'markers'] as const) {
      await using s = await personalStage([can]);
      await s.ask('PUT', typing(OPS), { body: on });
      for (const kind of ['m.read', 'm.read.private', 'm.fully_read', 'M.READ', 'm.read.privat%C3%A9'])
        await s.ask('POST', receipt(kind), { body: '{}' });
      await s.ask('POST', inRoom(OPS, 'read_markers'), { body: all });
      done[can] = changesAt(s).map(({ path, body }) => [path.split(`${OPS}/`)[1], body]);
    }
    expect(done).toEqual({
      typing: [[`typing/${ALICE}`, { typing: true, timeout: 30_000 }]],
      receipts: [
        ['receipt/m.read/$own', {}],
        ['read_markers', { 'm.read': '$own2' }],
      ],
      markers: [
        ['receipt/m.read.private/$own', {}],
        ['receipt/m.fully_read/$own', {}],
        ['read_markers', { 'm.read.private': '$own3', 'm.fully_read': '$own' }],
      ],
    });
  });

  test('another capability is no reason to take them', async () => {
    await using s = await personalStage(['profile']);
    const { status, headers } = await s.ask('PUT', typing(OPS), { body: on });
    expect([status, headers.get('www-authenticate')]).toEqual([403, expect.stringContaining('read')]);
    expect((await s.ask('POST', receipt('m.read'))).status).toBe(403);
    expect((await s.ask('POST', inRoom(OPS, 'read_markers'), { body: '{}' })).status).toBe(403);
  });
});

const ALL = ['read', 'typing', 'receipts', 'markers'] as const;

test('nobody else types, in whatever spelling', async () => {
  await using s = await personalStage(ALL);
  for (const user of [
    encodeURIComponent(BOB),
    BOB,
    '@ALICE:hs.test',
    '@alice:hs.test.evil',
    '@alice:HS.TEST',
    `${me}%20`,
    '%40alice%3Ahs.test%3F',
  ]) {
    expect([user, (await s.ask('PUT', typing(OPS, user), { body: on })).status]).toEqual([user, 403]);
  }
  for (const user of [`${me}%00`, '%2540alice:hs.test', '@al%69ce:hs.test'])
    expect([user, (await s.ask('PUT', typing(OPS, user), { body: on })).status]).toEqual([user, 400]);
  expect(s.homeserver.seen).toEqual([]);
});

// One room in the path and another in what is named: CVE-2020-26257 was that, between servers.
test('a room outside the scope, an event of one, and an event that is not there are refused in the same words', async () => {
  await using s = await personalStage(ALL);
  const refusals = [
    await s.ask('PUT', typing(SECRET), { body: on }),
    await s.ask('POST', receipt('m.read', '$own', SECRET)),
    await s.ask('POST', inRoom(SECRET, 'read_markers'), { body: '{"m.read":"$own"}' }),
    await s.ask('POST', receipt('m.read', '$elsewhere')),
    await s.ask('POST', receipt('m.fully_read', '$none')),
    await s.ask('POST', receipt('m.read'), { body: '{"thread_id":"$elsewhere"}' }),
    await s.ask('POST', inRoom(OPS, 'read_markers'), {
      body: '{"m.read":"$own","m.fully_read":"$elsewhere"}',
    }),
  ];
  for (const { status, body } of refusals) expect([status, body]).toEqual([403, refusals[0]?.body]);
  expect(changesAt(s)).toEqual([]);
  for (const { path } of s.homeserver.seen) expect(path).not.toContain(encodeURIComponent(SECRET));
});

test('only what is known of a body goes on; a thread does', async () => {
  await using s = await personalStage(ALL);
  await s.ask('PUT', typing(OPS), { body: '{"typing":false,"timeout":5,"x":1}' });
  await s.ask('POST', `${receipt('m.read')}?x=1`, { body: '{"thread_id":"main","hidden":true}' });
  await s.ask('POST', receipt('m.read'), { body: '{"thread_id":"$own2"}' });
  await s.ask('POST', receipt('m.fully_read'), { body: '{"thread_id":"main"}' });
  await s.ask('POST', inRoom(OPS, 'read_markers'), {
    body: '{"m.read":"$own","m.hidden":"$own","__proto__":"$own"}',
  });
  expect(changesAt(s).map(({ body, query }) => [body, query])).toEqual([
    [{ typing: false }, ''],
    [{ thread_id: 'main' }, ''],
    [{ thread_id: '$own2' }, ''],
    [{}, ''],
    [{ 'm.read': '$own' }, ''],
  ]);
});

test.each([
  ['PUT', typing(OPS), '{"typing":"true"}'],
  ['PUT', typing(OPS), '{"typing":true,"timeout":-1}'],
  ['PUT', typing(OPS), '[]'],
  ['PUT', typing(OPS), '{"typing":true,"typing":false}'],
  ['POST', receipt('m.read', 'own'), '{}'],
  ['POST', receipt('m.read'), '{"thread_id":"threads"}'],
  ['POST', receipt('m.read'), '{"thread_id":{"x":1}}'],
  ['POST', inRoom(OPS, 'read_markers'), '{"m.read":["$own"]}'],
  ['POST', inRoom(OPS, 'read_markers'), '{"m.read":"own"}'],
])('%s %s %s is not understood', async (method, path, body) => {
  await using s = await personalStage(ALL);
  expect((await s.ask(method, path, { body })).status).toBe(400);
  expect(changesAt(s)).toEqual([]);
});

test('they have a pace of their own', async () => {
  const grant = { scope: { v: 1 as const, rooms: [OPS], can: ['typing' as const] } };
  await using s = await stage({ grant, limits: { personalAtOnce: 2, personalPerSecond: 0.01 } });
  const told = [];
  for (let n = 0; n < 3; n++) told.push((await s.ask('PUT', typing(OPS), { body: on })).status);
  expect(told).toEqual([200, 200, 429]);
});
