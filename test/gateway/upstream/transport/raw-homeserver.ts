import { createServer, type AddressInfo, type Socket } from 'node:net';
import { settled } from '../../../support/wait.ts';

/** A request as it came, byte for byte. */
export type RawRequest = {
  /** Which connection it came by, counted from 0, and as which of its requests. */
  readonly connection: number;
  readonly turn: number;
  /** Head and body, in Latin-1. */
  readonly text: string;
};

/** A server that writes what it is told, whatever that is. */
export type RawHomeserver = AsyncDisposable & {
  readonly url: string;
  readonly port: number;
  readonly requests: RawRequest[];
  /** How many connections were made, and how many of them are open. */
  readonly connections: { made: number; open: number };
  /** What happens from now on when a request has come whole. */
  answer(script: (socket: Socket, request: RawRequest) => unknown): void;
};

export async function rawHomeserver(host = '127.0.0.1'): Promise<RawHomeserver> {
  const requests: RawRequest[] = [];
  const connections = { made: 0, open: 0 };
  const sockets = new Set<Socket>();
  let script: (socket: Socket, request: RawRequest) => unknown = () => {};
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    const connection = connections.made++;
    connections.open++;
    sockets.add(socket);
    let turn = 0;
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      for (let length = lengthOf(text); length > 0 && text.length >= length; length = lengthOf(text)) {
        const request = { connection, turn: turn++, text: text.slice(0, length) };
        text = text.slice(length);
        requests.push(request);
        void script(socket, request);
      }
    });
    socket.on('error', () => socket.destroy());
    socket.on('end', () => socket.end());
    socket.on('close', () => {
      connections.open--;
      sockets.delete(socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    port,
    requests,
    connections,
    answer: (next) => void (script = next),
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** The length of the first request in a text; 0 where its head is not whole. */
function lengthOf(text: string): number {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return 0;
  return end + 4 + Number(/\r\ncontent-length: (\d+)\r\n/.exec(text.slice(0, end + 2))?.[1] ?? 0);
}

/** Writes parts so that each comes as a read of its own, or nearly so. */
export async function writeInParts(socket: Socket, parts: readonly (string | Buffer)[]): Promise<void> {
  for (const part of parts) {
    if (socket.destroyed) return;
    if (typeof part === 'string') socket.write(part, 'latin1');
    else socket.write(part);
    await settled(10);
  }
}
