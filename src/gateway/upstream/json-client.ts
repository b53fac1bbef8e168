import { Pool } from 'undici';
import { MintwardenError } from '../../domain/errors.ts';
import type { UpstreamRequest } from '../http/call.ts';
import type { FilterInput } from '../filter-worker/filter-worker.ts';
import { parseUpstreamJson } from '../filter-worker/parse-upstream-json.ts';
import type { FilterJob } from '../filter-worker/filter-job.ts';
import type { MemoryReservation } from '../limits/memory-budget.ts';

/**
 * What the homeserver answered, read whole. `body` is undefined where it was not JSON, or `large` stands for
 * it.
 */
export type UpstreamResponse = {
  readonly status: number;
  readonly body: unknown;
  readonly retryAfter: string | null;
  /** An answer of 200 that is read in another thread. */
  readonly large?: FilterJob;
};

/** On whose behalf, and for how long. */
export type AskOptions = {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Where the answer's bytes are counted, as long as it is in memory; null for what nobody can multiply. */
  readonly held: MemoryReservation | null;
  /** Where an answer goes that turns out to be large; null: it is read in place all the same. */
  readonly large: (() => FilterInput) | null;
  /** Called when the request is put on a connection: before that, the homeserver cannot have seen it. */
  readonly onStart?: () => void;
};

/** The only way to the homeserver. */
export interface JsonClient {
  /**
   * Asks once; never tries again. Where more would be held than is allowed, that is told as a 429.
   * @param token the upstream token, or null for what is asked without
   * @throws MintwardenError `homeserver-unreachable` (down, too slow), `homeserver-invalid-response` (compressed,
   *   not JSON, too large); the signal's reason when it is aborted
   */
  ask(request: UpstreamRequest, token: string | null, asking: AskOptions): Promise<UpstreamResponse>;
  /** Ends all connections. */
  close(): Promise<void>;
}

/** How large answers may be, and from where on they count as large, in bytes. */
export type Sizes = { readonly answerBytes: number; readonly inPlaceBytes: number };

/** A forwarder over a pool of connections that are kept. */
export function createJsonClient(homeserverUrl: string, sizes: Sizes): JsonClient {
  const { origin, pathname } = new URL(homeserverUrl);
  const base = pathname.replace(/\/+$/, '');
  const pool = new Pool(origin, { pipelining: 1, connections: null, headersTimeout: 0, bodyTimeout: 0 });
  return {
    ask: (request, token, asking) => ask(pool, base, sizes, request, token, asking),
    close: () => pool.destroy(),
  };
}

function ask(
  pool: Pool,
  base: string,
  { answerBytes, inPlaceBytes }: Sizes,
  request: UpstreamRequest,
  token: string | null,
  { timeoutMs, signal, held, large, onStart }: AskOptions,
): Promise<UpstreamResponse> {
  return new Promise<UpstreamResponse>((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    let abort: ((reason: Error) => void) | null = null;
    let ended: Error | null = null;
    let status = 0;
    let retryAfter: string | null = null;
    let size = 0;
    let counted = 0;
    let chunks: Buffer[] = [];
    let feed: FilterInput | null = null;
    const begunAt = performance.now();
    const settle = (reason: Error): void => {
      signal.removeEventListener('abort', onAbort);
      clearTimeout(timer);
      if (ended === null) held?.waited(performance.now() - begunAt);
      ended ??= reason;
      abort?.(ended);
      feed?.discard();
      held?.give(counted);
      counted = 0;
      reject(ended);
    };
    const onAbort = (): void => settle(signal.reason as Error);
    const timer = setTimeout(() => settle(unreachableBecause('it did not answer in time')), timeoutMs);
    signal.addEventListener('abort', onAbort, { once: true });
    const query = request.query
      .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
      .join('&');
    const headers = ['accept', 'application/json', 'accept-encoding', 'identity', 'user-agent', 'Mintwarden'];
    if (token !== null) headers.push('authorization', `Bearer ${token}`);
    if (request.body !== undefined) headers.push('content-type', 'application/json');
    const path = base + request.path + (query === '' ? '' : `?${query}`);
    pool.dispatch(
      {
        path,
        method: request.method,
        headers,
        body: request.body === undefined ? null : JSON.stringify(request.body),
      },
      {
        onRequestStart(controller) {
          abort = (reason) => controller.abort(reason);
          // It may have waited for a connection until nobody wanted it any more.
          if (ended !== null) controller.abort(ended);
          else onStart?.();
        },
        onResponseStart(controller, statusCode, given) {
          if (statusCode < 200) return;
          status = statusCode;
          const encoding = given['content-encoding'];
          if (encoding !== undefined && encoding !== 'identity')
            return settle(nonsense('is compressed, though it was asked not to be'));
          if (statusCode === 200 && !isJson(given['content-type'])) return settle(nonsense('is not JSON'));
          const after = given['retry-after'];
          retryAfter = typeof after === 'string' ? after : null;
          if (Number(given['content-length'] ?? 0) > answerBytes) settle(nonsense('is too large'));
        },
        onResponseData(controller, chunk) {
          size += chunk.length;
          if (size > answerBytes) return settle(nonsense('is too large'));
          if (held !== null && ended === null) {
            if (!held.take(chunk.length)) {
              resolve(TOO_MUCH);
              return settle(TOO_MUCH_HELD);
            }
            counted += chunk.length;
          }
          if (ended !== null) return;
          chunks.push(chunk);
          if (size <= inPlaceBytes || large === null || status !== 200) return;
          feed ??= large();
          const sink = feed;
          const taken = chunks.every((one) => sink.push(one));
          chunks = [];
          if (taken) return;
          resolve(TOO_MUCH);
          settle(TOO_MUCH_HELD);
        },
        onResponseEnd() {
          if (ended === null) held?.waited(performance.now() - begunAt);
          signal.removeEventListener('abort', onAbort);
          clearTimeout(timer);
          if (feed !== null) return resolve({ status, body: undefined, retryAfter, large: feed.end() });
          const body = parseUpstreamJson(
            chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, size),
          );
          if (status === 200 && body === undefined) reject(nonsense('is not JSON'));
          else resolve({ status, body, retryAfter });
        },
        onResponseError() {
          settle(unreachableBecause('the connection failed'));
        },
      },
    );
  });
}

/** As if the homeserver had asked to wait. */
const TOO_MUCH: UpstreamResponse = { status: 429, body: undefined, retryAfter: '1' };
const TOO_MUCH_HELD: Error = Object.freeze(new Error('too much is held already'));

function isJson(type: unknown): boolean {
  return typeof type === 'string' && /^application\/json\s*(?:;|$)/i.test(type);
}

// The library's own errors are not kept as a cause: they may hold the request, and with it the token.
function unreachableBecause(why: string): MintwardenError {
  return new MintwardenError('homeserver-unreachable', `The homeserver cannot be reached: ${why}.`);
}

function nonsense(why: string): MintwardenError {
  return new MintwardenError('homeserver-invalid-response', `The homeserver's answer ${why}.`);
}
