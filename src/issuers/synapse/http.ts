import { MintwardenError } from '../../domain/errors.ts';
import { createDispatcher } from '../../net/dispatcher.ts';

/** A JSON object as it came: nothing in it is trusted. */
export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * What came of a request. `answer`: the server's status and its JSON object (null: something else was
 * in the body). `unsent`: it is proven that no request left this machine. `lost`: it may have been
 * carried out, and no usable answer came. Problems are sentences without secrets.
 */
export type Answer =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly body: JsonObject | null;
      readonly date: string | null;
    }
  | { readonly kind: 'unsent'; readonly problem: string }
  | { readonly kind: 'lost'; readonly problem: string };

/** One request. `token` goes into the Authorization header and nowhere else. */
type Ask = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Built with `path`, so that no id can change which endpoint is meant. */
  readonly path: string;
  readonly token?: string;
  readonly body?: JsonObject;
  readonly maxBytes?: number;
};

/** Asks the homeserver; never throws for what the homeserver does, never repeats a request by itself. */
export type Http = {
  ask(request: Ask): Promise<Answer>;
  close(): Promise<void>;
};

const DEFAULT_MAX_BYTES = 32 * 1024 * 1024;
const BEARER = /^[\u0021-\u007e]{1,4096}$/;

/** A path of literal parts and ids: every id becomes exactly one raw segment. */
export function path(literals: TemplateStringsArray, ...ids: readonly string[]): string {
  return literals.reduce((sum, literal, index) => sum + encodeURIComponent(ids[index - 1] ?? '') + literal);
}

/** Whether a text can be a bearer token at all (RFC 6750, 2.1, and some margin). */
export function isBearer(text: unknown): text is string {
  return typeof text === 'string' && BEARER.test(text);
}

/**
 * A pool of connections to one homeserver. `timeoutMs` is for the whole of a request, its answer's body
 * included. Redirects are not followed: a token goes to the configured host or nowhere.
 */
export function createHttp(options: { readonly homeserverUrl: string; readonly timeoutMs: number }): Http {
  const base = new URL(options.homeserverUrl);
  const prefix = base.pathname.replace(/\/+$/, '');
  const dispatcher = createDispatcher(base.origin, {
    connections: 16,
    pipelining: 1,
    allowH2: false,
    headersTimeout: options.timeoutMs,
    bodyTimeout: options.timeoutMs,
    connect: { timeout: Math.ceil(options.timeoutMs / 2) },
  });

  return {
    async ask(request) {
      if (request.token !== undefined && !isBearer(request.token)) {
        throw new MintwardenError(
          'internal',
          'An access token holds characters that no token has; it was not sent.',
        );
      }
      try {
        const response = await dispatcher.request({
          origin: base.origin,
          method: request.method,
          path: prefix + request.path,
          headers: {
            accept: 'application/json',
            ...(request.token === undefined ? {} : { authorization: `Bearer ${request.token}` }),
            ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
          },
          body: request.body === undefined ? null : JSON.stringify(request.body),
          signal: AbortSignal.timeout(options.timeoutMs),
        });
        const text = await limitedText(response.body, request.maxBytes ?? DEFAULT_MAX_BYTES);
        if (text === null)
          return { kind: 'lost', problem: 'The homeserver sent an answer larger than any should be.' };
        const { date } = response.headers;
        return {
          kind: 'answer',
          status: response.statusCode,
          body: jsonObject(text),
          date: typeof date === 'string' ? date : null,
        };
      } catch (error) {
        return classify(error, base.origin, options.timeoutMs);
      }
    },
    close: () => dispatcher.close(),
  };
}

async function limitedText(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string | null> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > maxBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function jsonObject(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as JsonObject)
      : null;
  } catch {
    return null;
  }
}

const BEFORE_SENDING = /^(UND_ERR_CONNECT_TIMEOUT|ECONNREFUSED|ENOTFOUND|EAI_[A-Z]+)$/;
/** Our own checks of the server's certificate: they end the handshake, before a request. */
const BAD_CERTIFICATE =
  /^(CERT_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT|UNABLE_TO_|ERR_TLS_CERT_ALTNAME_INVALID)/;

/** Only what proves that no byte of a request went out is `unsent`; every doubt is `lost`. */
function classify(error: unknown, origin: string, timeoutMs: number): Answer {
  const { code, syscall } = facts(error);
  if (BAD_CERTIFICATE.test(code))
    return { kind: 'unsent', problem: `The homeserver's certificate is not trusted here (${code}).` };
  if (BEFORE_SENDING.test(code) || syscall === 'connect' || syscall === 'getaddrinfo') {
    return { kind: 'unsent', problem: `The homeserver cannot be reached at ${origin} (${code}).` };
  }
  if (/TIMEOUT/.test(code) || facts(error).name === 'TimeoutError') {
    return {
      kind: 'lost',
      problem: `The homeserver did not answer within ${String(timeoutMs / 1000)} seconds.`,
    };
  }
  return { kind: 'lost', problem: `The connection to the homeserver broke off (${code}).` };
}

function facts(error: unknown): { code: string; syscall: string; name: string } {
  const from = (key: string): string => {
    const value: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, key) : undefined;
    return typeof value === 'string' ? value : '';
  };
  // A host with several addresses fails with an AggregateError, whose parts all failed to connect.
  const inner: unknown = error instanceof AggregateError ? error.errors[0] : undefined;
  if (inner !== undefined && from('code') === '') return facts(inner);
  const code = from('code');
  return {
    code: /^[A-Z0-9_]{1,60}$/.test(code) ? code : 'no reason given',
    syscall: from('syscall'),
    name: from('name'),
  };
}
