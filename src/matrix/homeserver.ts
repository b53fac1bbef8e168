import { fetch, type RequestInit } from 'undici';
import { sharedDispatcher } from '../net/dispatcher.ts';
import { invalidResponse, toRefusal, unreachable } from './homeserver-errors.ts';

/** Where and as whom the homeserver is asked. */
export type Credentials = { readonly homeserverUrl: string; readonly accessToken: string | null };

/** A JSON object as it came; every field has to be looked at before it is used. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Options of one request. */
type RequestOptions = {
  readonly query?: Readonly<Record<string, string | number | boolean | null | undefined>>;
  readonly body?: unknown;
  /** Until the whole answer is there; 30 s unless told. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
};

/** The homeserver's Client-Server API under one access token. */
export type HomeserverClient = {
  /**
   * Asks once, without retries, and gives the JSON object that came.
   * @throws MintwardenError `homeserver-unreachable`, `homeserver-invalid-response`, or a `HomeserverRefusal`
   */
  request(method: 'GET' | 'POST' | 'PUT', path: string, options?: RequestOptions): Promise<JsonObject>;
  /** The same where the answer is a JSON array. */
  requestList(method: 'GET', path: string, options?: RequestOptions): Promise<readonly unknown[]>;
};

const DEFAULT_TIMEOUT_MS = 30_000;

/** Makes the client. Redirects are never followed: they would carry the access token elsewhere. */
export function createHomeserverClient({ homeserverUrl, accessToken }: Credentials): HomeserverClient {
  const base = homeserverUrl.replace(/\/+$/, '');
  const authorization: Record<string, string> =
    accessToken === null ? {} : { authorization: `Bearer ${accessToken}` };
  async function requestBody(method: string, path: string, options: RequestOptions = {}): Promise<unknown> {
    const { query = {}, body, timeoutMs = DEFAULT_TIMEOUT_MS, signal } = options;
    const url = new URL(base + path);
    for (const [key, value] of Object.entries(query)) {
      if (value !== null && value !== undefined) url.searchParams.set(key, String(value));
    }
    const timeout = AbortSignal.timeout(timeoutMs);
    const init: RequestInit = {
      method,
      redirect: 'manual',
      dispatcher: sharedDispatcher(),
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      headers: { ...authorization, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    };
    const answer = await fetchJson(url, init);
    if (answer.status >= 300 && answer.status < 400) throw invalidResponse('a redirect');
    if (answer.status < 200 || answer.status > 299) throw toRefusal(answer);
    return answer.body;
  }
  return {
    async request(method, path, options) {
      const body = await requestBody(method, path, options);
      if (!isJsonObject(body)) throw invalidResponse('no JSON object');
      return body;
    },
    async requestList(method, path, options) {
      const body = await requestBody(method, path, options);
      if (!Array.isArray(body)) throw invalidResponse('no JSON array');
      return body;
    },
  };
}

/** Whether it is a JSON object (and no array). */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object under a key, or an empty one. */
export function objectAt(value: unknown, key: string): JsonObject {
  const inner = isJsonObject(value) ? value[key] : undefined;
  return isJsonObject(inner) ? inner : {};
}

/** The array under a key, or an empty one. */
export function arrayAt(value: unknown, key: string): readonly unknown[] {
  const inner = isJsonObject(value) ? value[key] : undefined;
  return Array.isArray(inner) ? inner : [];
}

/** The string under a key, or null. */
export function stringAt(value: unknown, key: string): string | null {
  const inner = isJsonObject(value) ? value[key] : undefined;
  return typeof inner === 'string' ? inner : null;
}

/** The strings among the elements of the array under a key. */
export function stringsAt(value: unknown, key: string): readonly string[] {
  return arrayAt(value, key).filter((inner) => typeof inner === 'string');
}

/** A path of the Client-Server API with its variable parts encoded: `` path`/rooms/${roomId}/state` ``. */
export function path(strings: TemplateStringsArray, ...parts: readonly string[]): string {
  const rest = parts.map((part, index) => encodeURIComponent(part) + (strings[index + 1] ?? ''));
  return `/_matrix/client/v3${strings[0] ?? ''}${rest.join('')}`;
}

async function fetchJson(url: URL, init: RequestInit): Promise<{ status: number; body: unknown }> {
  let status: number;
  let text: string;
  try {
    const response = await fetch(url, init);
    status = response.status;
    text = await response.text();
  } catch (error) {
    throw unreachable(reasonOf(error), error);
  }
  try {
    return { status, body: JSON.parse(text) };
  } catch {
    return { status, body: null };
  }
}

/** undici wraps what went wrong; its code says enough, its message may name the address. */
function reasonOf(error: unknown): string {
  if (error instanceof DOMException && error.name === 'TimeoutError') return 'no answer in time';
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  if (typeof cause === 'object' && cause !== null && 'code' in cause && typeof cause.code === 'string')
    return cause.code;
  return error instanceof Error ? error.name : 'unknown';
}
