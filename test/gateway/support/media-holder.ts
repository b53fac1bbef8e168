import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import type { GrantId } from '../../../src/domain/ids.ts';
import { OPS } from './grants.ts';
import { type Stage, TOKEN } from './stage.ts';
import { settled } from '../../support/wait.ts';

export const GRANT = '7F3K9Q' as GrantId;
export const KNOWN = 'mxc://hs.test/known';
export const UPLOAD = '/_matrix/media/v3/upload';
export const image = {
  event_id: '$1',
  room_id: OPS,
  sender: '@bob:hs.test',
  type: 'm.room.message',
  origin_server_ts: 1,
  content: { url: KNOWN },
};
export const MIB = 1_048_576;

/** Waits until a number has not changed for a while. Gives it. */
export async function still(count: () => number): Promise<number> {
  for (let last = -1; last !== count() || last === 0;) {
    last = count();
    await settled();
  }
  return count();
}

/** A holder's connection, and what came on it. */
export function holder(
  s: Stage,
  head: string,
  options: { deaf?: boolean } = {},
): { socket: Socket; text: () => string; bytes: () => number; closed: () => boolean } {
  const socket = connect(s.gateway.port, '127.0.0.1');
  let text = '';
  let bytes = 0;
  let closed = false;
  if (options.deaf === true) socket.pause();
  else
    socket.on('data', (data) => {
      bytes += data.length;
      if (text.length < 10_000) text += data.toString('latin1');
    });
  socket.on('error', () => undefined);
  socket.on('close', () => (closed = true));
  socket.write(head);
  return { socket, text: () => text, bytes: () => bytes, closed: () => closed };
}
export const get = (path: string) =>
  `GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`;

/** A homeserver of our own, for what happens while bytes are on their way. */
export async function handmade(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A homeserver with a file without end, and how much of it was taken. */
export async function endless() {
  const state = { sent: 0, closed: false };
  const upstream = await handmade((_, response) => {
    response.writeHead(200, { 'content-type': 'video/mp4' });
    response.on('close', () => (state.closed = true));
    const piece = Buffer.alloc(65_536);
    const more = (): void => {
      while (!state.closed) {
        state.sent += piece.length;
        if (!response.write(piece)) return void response.once('drain', more);
      }
    };
    more();
  });
  return { state, ...upstream };
}
