import { describe, expect, test } from 'vitest';
import { OPS } from '../support/grants.ts';
import { stage, UPSTREAM_TOKEN } from '../support/stage.ts';

// What the homeserver says when it refuses is its own: rooms, people, tokens and addresses may stand in it.
// Found by the fuzzing of this project: a file's error came through word for word, since it looked like an
// answer of ours.

const WORDS = { errcode: 'M_LEAK', error: `!secret:hs.test ${UPSTREAM_TOKEN}`, extra: '!secret:hs.test' };
const IN = `/_matrix/client/v3/rooms/${encodeURIComponent(OPS)}`;

test('a reaction that is there already is told as such, which clients know, in words of ours', async () => {
  await using s = await stage({ rooms: [OPS], grant: { scope: { v: 1, rooms: [OPS], can: ['react'] } } });
  s.homeserver.answer(({ method }, response) => {
    if (method === 'GET')
      return { type: 'm.room.message', event_id: '$e', room_id: OPS, sender: '@bob:hs.test', content: {} };
    response.writeHead(400, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ ...WORDS, errcode: 'M_DUPLICATE_ANNOTATION' }));
    return undefined;
  });
  const body = JSON.stringify({ 'm.relates_to': { rel_type: 'm.annotation', event_id: '$e', key: 'x' } });
  const got = await s.ask('PUT', `${IN}/send/m.reaction/1`, { body });
  expect(got).toMatchObject({
    status: 400,
    body: { errcode: 'M_DUPLICATE_ANNOTATION', error: 'The user has reacted so already.' },
  });
  expect(JSON.stringify(got.body)).not.toMatch(/secret|syt_/);
});

describe.each([400, 401, 403, 404, 409, 413, 429, 500, 502, 504])(
  'an error %i of the homeserver is told in words of ours',
  (status) => {
    test.each([
      ['GET', '/_matrix/client/v1/media/download/hs.test/x'],
      ['GET', '/_matrix/client/v1/media/thumbnail/hs.test/x?width=32&height=32&method=crop'],
      ['POST', '/_matrix/media/v3/upload'],
      ['POST', '/_matrix/media/v1/create'],
      ['GET', `${IN}/messages?dir=b`],
      ['GET', `${IN}/event/$1`],
      ['GET', '/_matrix/client/v3/sync'],
      ['PUT', `${IN}/send/m.room.message/1`],
      ['POST', `${IN}/leave`],
      ['GET', '/_matrix/client/v3/joined_rooms'],
    ])('%s %s', async (method, path) => {
      const can = ['read', 'send', 'plaintext', 'media-any', 'upload', 'leave'] as const;
      await using s = await stage({
        rooms: [OPS],
        grant: { scope: { v: 1, rooms: [OPS], can } },
        limits: { upstreamErrorDelaysMs: [0] },
      });
      s.homeserver.answer((_, response) => {
        response.writeHead(status, {
          'content-type': 'application/json',
          location: 'https://hs.test/signed',
          'x-leak': '!secret:hs.test',
        });
        response.end(JSON.stringify(WORDS));
      });
      const got = await s.ask(method, path, method === 'GET' ? {} : { body: '{}' });
      expect(s.homeserver.seen.length).toBeGreaterThan(0);
      expect(got.status).toBeGreaterThanOrEqual(400);
      expect(JSON.stringify([got.body, [...got.headers]])).not.toMatch(/secret|LEAK|syt_|signed/);
    });
  },
);
