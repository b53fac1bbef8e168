import { connect } from 'node:net';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import type { GrantId } from '../../../src/domain/ids.ts';
import { grantOf, OPS } from '../support/grants.ts';
import { stage, TOKEN } from '../support/stage.ts';
import { settled, until } from '../../support/wait.ts';

/* Node writes the answers to requests that came together in their order: one that is ready waits for those before. */

const ROOM = `/_matrix/client/v3/rooms/${encodeURIComponent(OPS)}`;
const SECRET = 'what the grant showed while it was valid';
const get = (path: string, token: string): string =>
  `GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n\r\n`;

test.each([
  ['another grant', 'mwt_other'],
  ['the same grant', TOKEN],
])('an answer that waits behind one of %s is not given once its own grant has ended', async (_, first) => {
  await using s = await stage({ rooms: [OPS] });
  s.desk.add('mwt_other', { grant: grantOf([OPS], { id: '8F3K9Q' as GrantId }), rooms: new Set([OPS]) });
  const poll = Promise.withResolvers<void>();
  s.homeserver.answer(({ path }, response) => {
    if (path.endsWith('/sync')) return void poll.promise.then(() => response.writeHead(500).end('{}'));
    return [
      { type: 'x', event_id: '$1', sender: '@a:b', room_id: OPS, state_key: '', content: { body: SECRET } },
    ];
  });
  const socket = connect(s.gateway.port, '127.0.0.1');
  const closed = once(socket, 'close');
  let got = '';
  socket.on('error', () => undefined).on('data', (data: Buffer) => (got += data.toString()));
  socket.write(get('/_matrix/client/v3/sync?since=s1&timeout=300000', first) + get(`${ROOM}/state`, TOKEN));
  await until(() => s.logged.some(({ event }) => event === 'request'));
  s.desk.end('7F3K9Q' as GrantId);
  await settled();
  poll.resolve();
  await closed;
  expect(got).not.toContain(SECRET);
});
