import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { leakyAnswer } from './leaky-answers.ts';
import type { Random } from './random.ts';

/** A request as it reached the homeserver, byte for byte. */
export type Asked = {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
  readonly body: string;
};

/** Who listens for the requests that carry one upstream token. */
export type Listener = { readonly asked: Asked[]; readonly random: Random };

/**
 * A real HTTP server that answers everything with too much, and sorts what reaches it by the token it
 * carries.
 */
export type LeakyHomeserver = AsyncDisposable & {
  readonly url: string;
  readonly listeners: Map<string, Listener>;
  /** What carried no token that anybody listens for. */
  readonly strays: Asked[];
};

const ERROR = JSON.stringify({
  errcode: 'M_LEAK',
  error: 'hqx hq0h hq6h !nq6r:hs.test syt_leak_secret',
  soft_logout: true,
  retry_after_ms: 'hqx',
  evil: 'hqx',
});
const CODES = [
  'M_FORBIDDEN',
  'M_NOT_FOUND',
  'M_UNKNOWN_TOKEN',
  'M_LIMIT_EXCEEDED',
  'M_UNKNOWN',
  'M_BAD_JSON',
  'M_hqx_LEAK',
  'M_USER_LOCKED',
];
const NONSENSE = [
  'null',
  '[]',
  '"hqx"',
  '{"chunk":{}}',
  '{"rooms":[],"next_batch":{}}',
  '{"hqx":',
  '',
  '{"joined":[],"joined_rooms":{}}',
];
const HEADERS = {
  server: 'hqx',
  'set-cookie': 'hqx=1',
  'x-leak': 'hq6h',
  etag: '"hqx"',
  'cache-control': 'public, max-age=9',
  'retry-after': 'hqx',
};

export async function leakyHomeserver(): Promise<LeakyHomeserver> {
  const listeners = new Map<string, Listener>();
  const strays: Asked[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', rawHeaders } = request;
      const asked: Asked = { method, url, rawHeaders, body: Buffer.concat(chunks).toString() };
      const listener = listeners.get(request.headers.authorization ?? '');
      if (listener === undefined) strays.push(asked);
      else listener.asked.push(asked);
      const { status, type, body } = answerTo(asked, listener?.random ?? null);
      response.writeHead(status, { ...HEADERS, 'content-type': type });
      response.end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    listeners,
    strays,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Too much of the truth as a rule; now and then an error or nonsense, with as much in it. */
function answerTo(
  { method, url }: Asked,
  random: Random | null,
): { status: number; type: string; body: string } {
  const json = 'application/json';
  if (random?.chance(0.06) === true) {
    const status = random.pick([400, 401, 403, 404, 409, 413, 429, 500, 502, 302, 204]);
    return {
      status,
      type: random.pick([json, json, 'text/html']),
      body: status === 204 ? '' : ERROR.replace('M_LEAK', random.pick(CODES)),
    };
  }
  // A file is whatever its bytes are.
  const isFile = /\/media\/(?:download|thumbnail)\//.test(url);
  if (!isFile && random?.chance(0.04) === true)
    return { status: 200, type: random.pick([json, json, 'text/plain']), body: random.pick(NONSENSE) };
  const segments = (url.split('?')[0] ?? '').split('/').map(decoded);
  return { type: json, ...leakyAnswer(method, segments, url.includes('format=event')) };
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
