import { connect, type Socket } from 'node:net';

/** What came back for one request. */
export type HolderResponse = {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: string;
};

/** One connection to the gateway that requests are written on byte for byte, one after the other. */
export type Lane = {
  /** Null: the connection ended without an answer. */
  ask(bytes: string, bodyless: boolean): Promise<HolderResponse | null>;
  close(): void;
};

const TOO_LONG_MS = 20_000;

export function laneTo(port: number): Lane {
  let socket: Socket | null = null;
  let waiting: { resolve(told: HolderResponse | null): void; bodyless: boolean } | null = null;
  let text = '';
  const settle = (told: HolderResponse | null): void => {
    const one = waiting;
    waiting = null;
    one?.resolve(told);
  };
  const read = (): void => {
    if (waiting === null) return;
    const parsed = parse(text, waiting.bodyless);
    if (parsed === null) return;
    text = parsed.rest;
    if (parsed.told.status < 200) return read();
    const closes = parsed.told.headers.some((header) => /^connection: *close/i.test(header));
    if (closes) drop();
    settle(parsed.told);
  };
  const drop = (): void => {
    socket?.removeAllListeners();
    socket?.on('error', () => undefined);
    socket?.destroy();
    socket = null;
    text = '';
  };
  const open = (): Socket => {
    const fresh = connect(port, '127.0.0.1');
    fresh.setNoDelay(true);
    fresh.setTimeout(TOO_LONG_MS, () => fresh.destroy());
    fresh.on('data', (data) => {
      text += data.toString('latin1');
      read();
    });
    fresh.on('error', () => undefined);
    fresh.on('close', () => {
      drop();
      settle(null);
    });
    return fresh;
  };
  return {
    ask: (bytes, bodyless) =>
      new Promise((resolve) => {
        waiting = { resolve, bodyless };
        socket ??= open();
        socket.write(bytes, 'latin1');
      }),
    close: drop,
  };
}

function parse(
  text: string,
  bodyless: boolean,
): { readonly told: HolderResponse; readonly rest: string } | null {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return null;
  const [first = '', ...headers] = text.slice(0, end).split('\r\n');
  const status = Number(first.split(' ')[1]);
  const start = end + 4;
  const none = bodyless || status < 200 || status === 204;
  if (!none && headers.some((header) => /^transfer-encoding: *chunked$/i.test(header))) {
    const read = dechunked(text, start);
    return read === null ? null : { told: { status, headers, body: read.body }, rest: text.slice(read.end) };
  }
  const said = headers.find((header) => /^content-length:/i.test(header));
  const length = none ? 0 : Number(said?.split(':')[1] ?? 0);
  if (text.length < start + length) return null;
  const body = Buffer.from(text.slice(start, start + length), 'latin1').toString('utf8');
  return { told: { status, headers, body }, rest: text.slice(start + length) };
}

function dechunked(text: string, start: number): { readonly body: string; readonly end: number } | null {
  let body = '';
  for (let at = start; ;) {
    const line = text.indexOf('\r\n', at);
    const size = Number.parseInt(text.slice(at, line), 16);
    if (line === -1 || text.length < line + 4 + size) return null;
    body += text.slice(line + 2, line + 2 + size);
    at = line + 4 + size;
    if (size === 0) return { body, end: at };
  }
}
