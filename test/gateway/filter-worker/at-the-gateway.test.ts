import { expect, test } from 'vitest';
import type { GrantId } from '../../../src/domain/ids.ts';
import { OPS, SECRET } from '../support/grants.ts';
import { stage } from '../support/stage.ts';
import { settled } from '../../support/wait.ts';

const MESSAGES = `/_matrix/client/v3/rooms/${encodeURIComponent(OPS)}/messages`;
const page = (events: number) => ({
  start: 's',
  chunk: Array.from({ length: events }, (_, at) => ({
    type: 'm.room.message',
    event_id: `$${String(at)}`,
    room_id: at % 2 === 0 ? OPS : SECRET,
    sender: '@bob:hs.test',
    content: { body: at % 2 === 0 ? 'ours' : 'leak' },
  })),
});

test.each(['auto', 'tree'] as const)('a large page is filtered like a small one (%s)', async (filter) => {
  await using s = await stage({ rooms: [OPS], filter });
  s.homeserver.answer(() => page(4_000));
  const got = await s.ask('GET', MESSAGES);
  expect(got.status).toBe(200);
  expect(got.body['chunk']).toHaveLength(2_000);
  expect(JSON.stringify(got.body)).not.toContain('leak');
});

test('a grant that ends while its answer is with the thread shows nothing of it, and is told at once', async () => {
  await using s = await stage({ rooms: [OPS], filter: 'tree' });
  const sent = Promise.withResolvers<void>();
  s.homeserver.answer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(page(100_000)), () => sent.resolve());
  });
  const asked = s.ask('GET', MESSAGES);
  await sent.promise;
  await settled();
  s.desk.end('7F3K9Q' as GrantId);
  const endedAt = Date.now();
  expect(await asked).toMatchObject({ status: 401, body: { errcode: 'M_UNKNOWN_TOKEN' } });
  expect(Date.now() - endedAt).toBeLessThan(250);
});

test('more than may be with the thread is told as too many requests, and what went before still counts for nothing', async () => {
  await using s = await stage({ rooms: [OPS], filter: 'tree', limits: { largeBytes: 200_000 } });
  s.homeserver.answer(() => page(40_000));
  expect(await s.ask('GET', MESSAGES)).toMatchObject({ status: 429, body: { errcode: 'M_LIMIT_EXCEEDED' } });
  s.homeserver.answer(() => page(1_000));
  for (let again = 0; again < 3; again++) expect((await s.ask('GET', MESSAGES)).status).toBe(200);
});
