import { connect, type Socket } from 'node:net';

/** What to ask, and when. */
export type OpenLoopPlan = {
  readonly url: string;
  /** Asked in turn. */
  readonly requests: readonly { readonly path: string; readonly token: string }[];
  readonly perSecond: number;
  readonly seconds: number;
};

const TICK_MS = 1;
const END_OF_HEAD = Buffer.from('\r\n\r\n');

/**
 * Asks at fixed times, whether or not earlier requests have been answered: a server that stalls is not spared
 * the requests that it held up. @returns how long each took from the moment it was due, in milliseconds
 * @throws Error at an answer that is not 200
 */
export async function runOpenLoop({ url, requests, perSecond, seconds }: OpenLoopPlan): Promise<number[]> {
  const { hostname, port } = new URL(url);
  const idle: Connection[] = [];
  const all: Connection[] = [];
  const took: number[] = [];
  const total = perSecond * seconds;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const startedAt = performance.now();
  let sent = 0;
  const tick = setInterval(() => {
    const due = Math.min(total, ((performance.now() - startedAt) * perSecond) / 1_000);
    for (; sent < due; sent++) {
      const { path, token } = requests[sent % requests.length] ?? { path: '/', token: '' };
      const dueAt = startedAt + (1_000 * sent) / perSecond;
      const connection = idle.pop() ?? open(Number(port), hostname, reject);
      if (!all.includes(connection)) all.push(connection);
      connection.ask(`GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n\r\n`, () => {
        took.push(performance.now() - dueAt);
        idle.push(connection);
        if (took.length === total) resolve();
      });
    }
  }, TICK_MS);
  try {
    await promise;
  } finally {
    clearInterval(tick);
    for (const { socket } of all) socket.removeAllListeners().destroy();
  }
  return took;
}

type Connection = { readonly socket: Socket; ask(head: string, answered: () => void): void };

function open(port: number, host: string, fail: (error: Error) => void): Connection {
  const socket = connect({ port, host, noDelay: true });
  let got: Buffer = Buffer.alloc(0);
  let done: (() => void) | null = null;
  socket.on('error', fail);
  socket.on('close', () => fail(new Error('A connection was closed.')));
  socket.on('data', (chunk) => {
    got = got.length === 0 ? chunk : Buffer.concat([got, chunk]);
    const head = got.indexOf(END_OF_HEAD);
    if (head < 0) return;
    const text = got.toString('latin1', 0, head);
    const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1];
    if (!text.startsWith('HTTP/1.1 200 ') || length === undefined)
      return fail(new Error(`An answer was: ${text.split('\r\n')[0] ?? ''}`));
    if (got.length < head + END_OF_HEAD.length + Number(length)) return;
    got = Buffer.alloc(0);
    const answered = done;
    done = null;
    answered?.();
  });
  return {
    socket,
    ask(head, answered) {
      done = answered;
      socket.write(head);
    },
  };
}
