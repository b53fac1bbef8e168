import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { createDispatcher } from '../../net/dispatcher.ts';
import type { UpstreamRequest } from '../http/call.ts';
import { parseUpstreamJson } from '../filter-worker/parse-upstream-json.ts';
import { invalidResponse, unreachable } from './errors.ts';
import { requestTarget } from './request-target.ts';
import type { UpstreamResponse } from './json-call.ts';

/** What the homeserver says of a file. */
export type FileHead = { readonly type: string | null; readonly disposition: string | null };

/** A file that the homeserver is about to send. Nothing more of it comes until it is poured. */
export type OpenFile = FileHead & {
  /** Null: it does not say. */
  readonly length: number | null;
  /**
   * Passes it on as quickly as it is read, no quicker. What goes wrong ends the connection: it cannot be told
   * any more.
   */
  pour(response: ServerResponse): void;
  /** It is not wanted. */
  drop(): void;
};

/** For how long, and how much. Times in milliseconds. */
export type Streaming = {
  /** For the homeserver to begin its answer, once it has the whole request. */
  readonly headTimeoutMs: number;
  /** For nothing to come in the middle. */
  readonly idleTimeoutMs: number;
  readonly mostBytes: number;
  /** Aborted when the holder has gone or the grant is over; its reason is then thrown. */
  readonly signal: AbortSignal;
};

/** A request's body that is passed on as it comes. */
export type Sending = { readonly body: IncomingMessage; readonly length: number; readonly type: string };

/** The way to the homeserver for files: neither kept nor parsed here. */
export interface FileClient {
  /**
   * Asks for a file; whatever else comes is a reply that was read.
   * @throws MintwardenError `homeserver-unreachable`, `homeserver-invalid-response` (compressed, larger than is
   *   passed on)
   */
  fetch(request: UpstreamRequest, token: string, streaming: Streaming): Promise<OpenFile | UpstreamResponse>;
  /**
   * Sends a file and reads the reply. @throws MintwardenError `homeserver-unreachable`, where it broke off
   * too
   */
  send(
    request: UpstreamRequest,
    token: string,
    sending: Sending,
    streaming: Streaming,
  ): Promise<UpstreamResponse>;
  close(): Promise<void>;
}

type Upstream = { readonly dispatcher: Dispatcher; readonly origin: string; readonly base: string };

/** Of an answer that is not a file. */
const MAX_REPLY_BYTES = 65_536;
const PIECES = { objectMode: false, highWaterMark: 65_536 } as const;

/** A streamer over connections of its own: a slow reader holds one for long. */
export function createFileClient(homeserverUrl: string): FileClient {
  const { origin, pathname } = new URL(homeserverUrl);
  const base = pathname.replace(/\/+$/, '');
  const dispatcher = createDispatcher(origin, {
    pipelining: 1,
    connections: null,
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const upstream = { dispatcher, origin, base };
  return {
    fetch: (request, token, streaming) => exchange(upstream, request, token, null, streaming),
    send: async (request, token, sending, streaming) => {
      const reply = await exchange(upstream, request, token, sending, streaming);
      if (!('pour' in reply)) return reply;
      reply.drop();
      throw invalidResponse('is not JSON');
    },
    close: () => dispatcher.destroy(),
  };
}

function exchange(
  { dispatcher, origin, base }: Upstream,
  request: UpstreamRequest,
  token: string,
  sending: Sending | null,
  { headTimeoutMs, idleTimeoutMs, mostBytes, signal }: Streaming,
): Promise<OpenFile | UpstreamResponse> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    let connection: Dispatcher.DispatchController | null = null;
    let ended: Error | null = null;
    let sink: ServerResponse | null = null;
    let isFile = false;
    let status = 0;
    let size = 0;
    let retryAfter: string | null = null;
    const early: Buffer[] = [];
    let timer = setTimeout(onSilence, sending === null ? headTimeoutMs : idleTimeoutMs);

    /** Nothing goes on. The holder whose answer has begun is cut off. */
    function end(reason: Error): void {
      if (ended !== null) return;
      ended = reason;
      done();
      connection?.abort(reason);
      sink?.destroy();
      reject(reason);
    }
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
    function onAbort(): void {
      end(signal.reason as Error);
    }
    function onSilence(): void {
      end(unreachable('it did not answer in time'));
    }
    function wait(ms: number): void {
      if (ended !== null) return;
      clearTimeout(timer);
      timer = setTimeout(onSilence, ms);
    }
    signal.addEventListener('abort', onAbort, { once: true });

    /** The homeserver is silent only while it may speak: a reader who pauses is another clock's. */
    function pass(chunk: Buffer): void {
      if (sink === null) return;
      if (sink.write(chunk)) return wait(idleTimeoutMs);
      clearTimeout(timer);
      connection?.pause();
    }
    function pour(response: ServerResponse): void {
      if (ended !== null) return void response.destroy();
      sink = response;
      response.on('drain', () => {
        if (ended !== null || !isFile) return;
        wait(idleTimeoutMs);
        connection?.resume();
      });
      wait(idleTimeoutMs);
      let full = false;
      for (const chunk of early.splice(0)) full = !response.write(chunk) || full;
      if (!full) connection?.resume();
    }
    const path = base + requestTarget(request);
    const headers = [
      'accept',
      '*/*',
      'accept-encoding',
      'identity',
      'user-agent',
      'Mintwarden',
      'authorization',
      `Bearer ${token}`,
    ];
    if (sending !== null)
      headers.push('content-type', sending.type, 'content-length', String(sending.length));
    dispatcher.dispatch(
      {
        origin,
        path,
        method: request.method,
        headers,
        body:
          sending === null
            ? null
            : Readable.from(
                piecesOf(sending, () => wait(idleTimeoutMs)),
                PIECES,
              ),
      },
      {
        onRequestStart(controller) {
          connection = controller;
          if (ended !== null) controller.abort(ended);
        },
        onRequestSent() {
          if (ended === null && status === 0) wait(headTimeoutMs);
        },
        onResponseStart(controller, statusCode, given) {
          if (statusCode < 200 || ended !== null) return;
          status = statusCode;
          wait(idleTimeoutMs);
          const text = (name: string): string | null =>
            typeof given[name] === 'string' ? given[name] : null;
          retryAfter = text('retry-after');
          if (sending !== null || statusCode !== 200) return;
          const encoding = given['content-encoding'];
          if (encoding !== undefined && encoding !== 'identity')
            return end(invalidResponse('is compressed, though it was asked not to be'));
          const length = lengthOf(given['content-length']);
          if (length !== null && length > mostBytes) return end(invalidResponse('is too large'));
          isFile = true;
          controller.pause();
          // Until it is poured nothing is waited for: that is the next thing that happens.
          clearTimeout(timer);
          resolve({
            type: text('content-type'),
            disposition: text('content-disposition'),
            length,
            pour,
            drop: () => end(NOT_WANTED),
          });
        },
        onResponseData(_, chunk) {
          size += chunk.length;
          if (ended !== null) return;
          if (size > (isFile ? mostBytes : MAX_REPLY_BYTES)) return end(invalidResponse('is too large'));
          if (sink === null) early.push(chunk);
          else pass(chunk);
        },
        onResponseEnd() {
          if (ended !== null) return;
          done();
          if (!isFile) return resolve({ status, body: parseUpstreamJson(Buffer.concat(early)), retryAfter });
          isFile = false;
          sink?.end();
        },
        onResponseError() {
          end(unreachable('the connection failed'));
        },
      },
    );
  });
}

/**
 * The body as it comes, the homeserver's own pace permitting. Its end is not the connection's: the holder is
 * yet to be answered.
 */
async function* piecesOf({ body }: Sending, onPiece: () => void): AsyncGenerator<Buffer> {
  for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    onPiece();
    yield chunk;
  }
}

function lengthOf(value: unknown): number | null {
  return typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : null;
}

const NOT_WANTED: Error = Object.freeze(new Error('it is not wanted any more'));
