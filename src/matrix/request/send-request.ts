import { Agent, request } from 'undici';
import { toRequestError } from './errors.ts';
import { withQuery, type Query } from './query.ts';

/**
 * What matrix-bot-sdk passes; whatever else it sets (`forever`, `useQuerystring`) is how this works anyway.
 */
export interface RequestParameters {
  readonly uri: string;
  readonly method?: string;
  readonly qs?: Query | null;
  /** null: the body is answered as a Buffer; otherwise as text, read as UTF-8. */
  readonly encoding?: string | null;
  /**
   * Milliseconds until the answer begins, and between two parts of it. null, as matrix-bot-sdk has it for
   * downloads: the default.
   */
  readonly timeout?: number | null;
  readonly headers?: Record<string, string | string[]>;
  readonly body?: string | Uint8Array;
}

export interface RequestResponse {
  statusCode: number;
  headers: Record<string, string | string[] | undefined>;
  /** matrix-bot-sdk puts the parsed JSON in its place. */
  body: string | Buffer;
}

export type RequestCallback = (
  error: Error | null,
  response?: RequestResponse,
  body?: string | Buffer,
) => void;

const DEFAULT_TIMEOUT_MS = 60_000;

const agent = new Agent({ allowH2: false });

/**
 * Sends one request and calls back once: with an error whose `code` is that of `request` (`ESOCKETTIMEDOUT`,
 * `ETIMEDOUT`, `ECONNREFUSED`, …), or with the response, whatever its status.
 */
export function sendRequest(parameters: RequestParameters, callback: RequestCallback): void {
  send(parameters).then(
    (response) => callback(null, response, response.body),
    (error: unknown) => callback(toRequestError(error)),
  );
}

async function send(parameters: RequestParameters): Promise<RequestResponse> {
  const { uri, method = 'GET', qs, encoding, headers, body } = parameters;
  const timeout = parameters.timeout ?? DEFAULT_TIMEOUT_MS;
  // Ours rather than undici's, which starts to count only once there is a connection.
  const waiting = new AbortController();
  const timer = setTimeout(() => waiting.abort(new AnswerTimeout()), timeout);
  try {
    const answer = await request(withQuery(uri, qs), {
      method,
      headers: headers ?? {},
      body: body ?? null,
      headersTimeout: 0,
      bodyTimeout: timeout,
      signal: waiting.signal,
      dispatcher: agent,
    });
    clearTimeout(timer);
    const bytes = Buffer.from(await answer.body.arrayBuffer());
    return {
      statusCode: answer.statusCode,
      headers: answer.headers,
      body: encoding === null ? bytes : bytes.toString('utf8'),
    };
  } finally {
    clearTimeout(timer);
  }
}

class AnswerTimeout extends Error {
  readonly code = 'ESOCKETTIMEDOUT';
  constructor() {
    super('the answer did not come in time');
  }
}
