import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { ALICE, OPS } from '../support/grants.ts';
import { type Stage, stage, TOKEN } from '../support/stage.ts';
import { until } from '../../support/wait.ts';

// A body that is refused before it has come: the client is still sending. Where the connection is just closed, the
// system answers what still comes with a reset, and the client's system throws the refusal away unread. RFC 9112, 9.6.

const V3 = '/_matrix/client/v3';
const ROOM = `${V3}/rooms/${encodeURIComponent(OPS)}`;
const UPLOAD = '/_matrix/media/v3/upload';
const TWENTY_MB = 20 * 1_048_576;

type Told = { readonly status: number; readonly body: string; readonly error: string | null };

/** Sends a head and a body of so many bytes, reading meanwhile, until the connection ends. */
async function send(
  s: Stage,
  head: string,
  { chunked, closes }: { readonly chunked: boolean; readonly closes: boolean },
): Promise<Told> {
  const bytes = TWENTY_MB;
  const socket = connect({ port: s.gateway.port, host: '127.0.0.1' });
  let text = '';
  let error: string | null = null;
  socket.setEncoding('latin1');
  socket.on('data', (data: string) => (text += data));
  socket.on('error', ({ code }: NodeJS.ErrnoException) => (error = code ?? 'an error'));
  await once(socket, 'connect');
  const length = chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${bytes}`;
  const connection = closes ? 'Connection: close\r\n' : '';
  socket.write(`${head}\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\n${connection}${length}\r\n\r\n`);
  const piece = Buffer.alloc(65_536, 0x78);
  for (let sent = 0; sent < bytes && !socket.destroyed && socket.writable; sent += piece.length) {
    if (chunked) socket.write(`${piece.length.toString(16)}\r\n`);
    const goesOn = socket.write(piece);
    if (chunked) socket.write('\r\n');
    if (!goesOn) await Promise.race([once(socket, 'drain'), once(socket, 'close')]).catch(() => undefined);
  }
  if (chunked && socket.writable) socket.write('0\r\n\r\n');
  if (closes) await until(() => socket.closed || socket.readableEnded, 10_000);
  else await until(() => text.includes('"errcode"'), 10_000);
  socket.destroy();
  return {
    status: Number(text.split(' ')[1] ?? 0),
    body: text.slice(text.indexOf('\r\n\r\n') + 4),
    error,
  };
}

const staged = () =>
  stage({
    rooms: [OPS],
    grant: { scope: { v: 1, rooms: [OPS], can: ['read', 'send', 'upload'] } },
    limits: { uploadBytes: 1_048_576, writesAtOnce: 1_000, personalAtOnce: 1_000 },
  });

describe('20 MB that are not taken: the refusal arrives whole, and no reset', () => {
  const requests: readonly (readonly [string, string, boolean, number])[] = [
    ['a file without its length', `POST ${UPLOAD} HTTP/1.1`, true, 411],
    ['a file that is too large', `POST ${UPLOAD} HTTP/1.1`, false, 413],
    ['a body without its length', `PUT ${ROOM}/send/m.room.message/t HTTP/1.1`, true, 413],
    ['a body that is too large', `PUT ${ROOM}/send/m.room.message/t HTTP/1.1`, false, 413],
    ['a body of an operation that is refused', `POST ${V3}/createRoom HTTP/1.1`, true, 403],
    ['a body of an operation that there is not', `POST ${V3}/nothing HTTP/1.1`, true, 404],
    ['a body of what has none', `GET ${ROOM}/members?x=1&x=2 HTTP/1.1`, true, 400],
    ['a compressed body', `POST ${V3}/user/${ALICE}/filter HTTP/1.1\r\nContent-Encoding: gzip`, true, 415],
  ];

  test.each(requests)(
    '%s',
    async (_, head, chunked, status) => {
      await using s = await staged();
      for (const closes of [false, true, false, true]) {
        const got = await send(s, head, { chunked, closes });
        expect([got.status, got.error]).toEqual([status, null]);
        expect(JSON.parse(got.body)).toHaveProperty('errcode');
      }
      expect(s.homeserver.seen).toEqual([]);
    },
    30_000,
  );

  test('what follows on a connection that goes on is read as a request again', async () => {
    await using s = await staged();
    s.homeserver.answer(() => ({ chunk: [] }));
    const auth = `Host: x\r\nAuthorization: Bearer ${TOKEN}\r\n`;
    const members = `GET ${ROOM}/members HTTP/1.1\r\n${auth}\r\n`;
    const body = `Content-Length: ${members.length}\r\n\r\n${members}`;
    const text = await s.raw(`POST ${V3}/createRoom HTTP/1.1\r\n${auth}${body}${members}`);
    expect([...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => status)).toEqual(['403', '200']);
    expect(s.homeserver.seen).toHaveLength(1);
  });

  test('a client that never sends the rest is waited for no longer than for any body', async () => {
    await using s = await stage({ rooms: [OPS], limits: { requestTimeoutMs: 300 } });
    for (const path of [UPLOAD, `${V3}/createRoom`]) {
      const socket = connect({ port: s.gateway.port, host: '127.0.0.1' });
      socket.on('error', () => undefined);
      socket.resume();
      socket.write(
        `POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Length: 90000000\r\n\r\nx`,
      );
      await until(() => socket.closed, 5_000);
    }
  });
});
