import { afterAll, beforeAll, expect, test } from 'vitest';
import { leanTransport } from '../../src/gateway/upstream/transport/lean-transport.ts';
import type { Exchange, Transport } from '../../src/gateway/upstream/transport/transport.ts';
import { undiciTransport } from '../../src/gateway/upstream/transport/undici-transport.ts';
import { ask } from '../gateway/upstream/transport/recorder.ts';
import { sharedSynapse } from '../harness/shared-synapse.ts';

let token = '';
let lean: Transport;
let undici: Transport;
let roomId = '';

const V3 = '/_matrix/client/v3';
const authorized = (exchange: Partial<Exchange>): Partial<Exchange> => ({
  ...exchange,
  headers: [
    'accept',
    'application/json',
    ...(exchange.body === undefined || exchange.body === null ? [] : ['content-type', 'application/json']),
    'authorization',
    `Bearer ${token}`,
  ],
});

beforeAll(async () => {
  const synapse = sharedSynapse();
  ({ accessToken: token } = await synapse.uniqueUser('transports'));
  lean = leanTransport(synapse.baseUrl);
  undici = undiciTransport(synapse.baseUrl);
  const made = await ask(
    lean,
    authorized({ method: 'POST', target: `${V3}/createRoom`, body: '{"name":"Größe 😀"}' }),
  ).over;
  expect(made.head?.status).toBe(200);
  roomId = encodeURIComponent((JSON.parse(made.body) as { room_id: string }).room_id);
});

afterAll(async () => {
  await lean.close();
  await undici.close();
});

// In this order: some change what the next one reads.
const EXCHANGES: readonly [string, () => Partial<Exchange>, number][] = [
  ['versions, without a token', () => ({ target: '/_matrix/client/versions' }), 200],
  ['no token where one is needed', () => ({ target: `${V3}/account/whoami` }), 401],
  ['no such endpoint', () => authorized({ target: `${V3}/nothing/here` }), 404],
  ['no such room', () => authorized({ target: `${V3}/rooms/!x%3Ay/state` }), 403],
  ['a large answer', () => authorized({ target: `${V3}/sync` }), 200],
  ['messages', () => authorized({ target: `${V3}/rooms/${roomId}/messages?dir=b&limit=50` }), 200],
  [
    'state, written',
    () =>
      authorized({
        method: 'PUT',
        target: `${V3}/rooms/${roomId}/state/m.room.topic/`,
        body: '{"topic":"é€😀"}',
      }),
    200,
  ],
  ['state, read', () => authorized({ target: `${V3}/rooms/${roomId}/state/m.room.topic/` }), 200],
  [
    'a body that is no JSON',
    () => authorized({ method: 'POST', target: `${V3}/createRoom`, body: '{' }),
    400,
  ],
  ['a POST without a body', () => authorized({ method: 'POST', target: `${V3}/rooms/${roomId}/leave` }), 200],
  ['a DELETE', () => authorized({ method: 'DELETE', target: `${V3}/directory/room/%23none%3Ax` }), 404],
  [
    'a DELETE with a body',
    () => authorized({ method: 'DELETE', target: `${V3}/devices/NONE`, body: '{}' }),
    401,
  ],
];

test.each(EXCHANGES)('both read the same from Synapse: %s', async (_title, exchange, status) => {
  const [one, other] = [await ask(lean, exchange()).over, await ask(undici, exchange()).over];
  expect(one.error).toBeNull();
  expect(one.head?.status).toBe(status);
  const { contentType, contentEncoding, contentLength, retryAfter } = one.head ?? {};
  expect({ status, contentType, contentEncoding, contentLength, retryAfter }).toEqual(other.head);
  expect(keysOf(one.body)).toEqual(keysOf(other.body));
});

/** Event ids, batches and sessions differ. */
function keysOf(body: string): unknown {
  return body === '' ? null : Object.keys(JSON.parse(body) as object).toSorted();
}
