import { expect, test } from 'vitest';
import { leanTransport } from '../../../../src/gateway/upstream/transport/lean-transport.ts';
import { rawHomeserver } from './raw-homeserver.ts';

const BYTES = 16_777_216;
const LARGE = Buffer.concat([
  Buffer.from(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${BYTES}\r\n\r\n`),
  Buffer.alloc(BYTES, 'x'),
]);

/** Calls a function in each turn of the event loop. */
function eachTurn(each: () => void): { stop(): void } {
  let next = setImmediate(function again() {
    each();
    next = setImmediate(again);
  });
  return { stop: () => clearImmediate(next) };
}

test('a long answer comes whole, and gives way to others after each quarter of a megabyte', async () => {
  await using server = await rawHomeserver();
  server.answer((socket) => socket.write(LARGE));
  const transport = leanTransport(server.url);
  let read = 0;
  let sinceTurn = 0;
  let most = 0;
  const ended = Promise.withResolvers<void>();
  transport.send(
    { method: 'GET', target: '/', headers: [], body: null },
    {
      onStart: () => undefined,
      onHead: () => undefined,
      onData({ length }) {
        read += length;
        sinceTurn += length;
        most = Math.max(most, sinceTurn);
      },
      onEnd: () => ended.resolve(),
      onError: (error) => ended.reject(error),
    },
  );
  const turns = eachTurn(() => (sinceTurn = 0));
  await ended.promise;
  turns.stop();
  await transport.close();
  expect(read).toBe(BYTES);
  expect(most).toBeLessThan(400_000);
});
