import type { ServerResponse } from 'node:http';
import { realTime } from '../../support/wait.ts';
import { randomOf } from '../fuzz/random.ts';
import { OPS } from './grants.ts';

// Holders and a homeserver of whom everything may be expected.

export const random = randomOf(20_261_130);
/** Lets real time pass, as networks and other processes do. */
export const pause = (most: number): Promise<void> => realTime(random.int(most));
/** A value at once, in a microtask or later. */
export const soon = <T>(value: () => T): T | Promise<T> =>
  random.chance(0.6) ? value() : random.chance(0.5) ? Promise.resolve().then(value) : pause(20).then(value);

const ROOM = `/_matrix/client/v3/rooms/${encodeURIComponent(OPS)}`;
const READS = [
  `${ROOM}/messages?dir=b`,
  `${ROOM}/state`,
  '/_matrix/client/v3/joined_rooms',
  '/_matrix/client/v3/sync',
  '/_matrix/client/v3/sync?since=s1&timeout=200',
  '/_matrix/client/v3/profile/%40bob%3Ahs.test',
  '/_matrix/client/v1/media/download/hs.test/known',
  '/_matrix/client/v3/account/whoami',
  '/_matrix/client/versions',
  '/_mintwarden/v1/token',
  '/nothing',
];
const WRITES = [
  ['PUT', `${ROOM}/send/m.room.message/`, '{"msgtype":"m.text","body":"x"}'],
  ['POST', '/_matrix/media/v3/upload?', 'x'.repeat(50_000)],
  ['POST', '/_matrix/client/v3/search?', '{"search_categories":{"room_events":{"search_term":"x"}}}'],
] as const;

/** A request of a holder; now and then one whose token is nobody's, or whose body breaks off. */
export function requestOf(token: string): string {
  const head = `Host: x\r\nAuthorization: Bearer ${random.chance(0.95) ? token : 'mwt_no'}\r\n`;
  if (random.chance(0.7)) return `GET ${random.pick(READS)} HTTP/1.1\r\n${head}\r\n`;
  const [method, path, body] = random.pick(WRITES);
  const sent = random.chance(0.8) ? body : body.slice(0, random.int(body.length));
  return `${method} ${path}${random.int(1e6)} HTTP/1.1\r\n${head}Content-Length: ${body.length}\r\n\r\n${sent}`;
}

function answerTo(path: string): unknown {
  const content = { msgtype: 'm.image', url: 'mxc://hs.test/known', body: 'x'.repeat(random.int(9_000)) };
  const event = { type: 'm.room.message', event_id: '$1', sender: '@bob:hs.test', room_id: OPS, content };
  const events = Array.from({ length: random.int(6) }, () => event);
  if (path.includes('/messages')) return { chunk: events, start: 'a', end: 'b' };
  if (path.includes('/state')) return events;
  if (path.includes('/sync'))
    return { next_batch: 's2', rooms: { join: { [OPS]: { timeline: { events } } } } };
  return { joined_rooms: [OPS], event_id: '$2', content_uri: 'mxc://hs.test/1', membership: 'join' };
}

/** The homeserver's answer: right, wrong, in pieces, half of one, or none. */
export async function answer(path: string, response: ServerResponse): Promise<void> {
  const how = random.int(10);
  if (random.chance(0.4)) await pause(60);
  if (how === 0) response.writeHead(401).end('{"errcode":"M_UNKNOWN_TOKEN"}');
  else if (how === 1) response.destroy();
  else if (how === 2) response.writeHead(500).end('{}');
  else if (how > 3) {
    const text = path.includes('/download')
      ? 'x'.repeat(random.int(400_000))
      : JSON.stringify(answerTo(path));
    response.writeHead(200, {
      'content-type': path.includes('/download') ? 'image/png' : 'application/json',
    });
    response.write(text.slice(0, text.length / 2));
    await pause(20);
    if (random.chance(0.9)) response.end(text.slice(text.length / 2));
    else response.destroy();
  }
}
