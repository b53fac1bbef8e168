import { HarnessError } from './harness-error.ts';

/** A homeserver's refusal, or its silence (`status` 0). */
export class MatrixHttpError extends HarnessError {
  readonly status: number;
  readonly errcode: string;
  constructor(status: number, errcode: string, message: string) {
    super(message);
    this.status = status;
    this.errcode = errcode;
  }
}

/** One request to a homeserver, with JSON both ways. Throws {@link MatrixHttpError} unless answered 2xx. */
export async function matrixRequest<T = Record<string, unknown>>(
  baseUrl: string,
  method: string,
  path: string,
  options: { token?: string; body?: unknown; timeoutMs?: number } = {},
): Promise<T> {
  const response = await fetch(new URL(path, baseUrl), {
    method,
    headers: {
      ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
      ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    signal: AbortSignal.timeout(options.timeoutMs ?? 30_000),
  });
  const text = await response.text();
  if (response.ok) return JSON.parse(text) as T;
  const { errcode = 'none', error = text.slice(0, 200) } = parseRefusal(text);
  throw new MatrixHttpError(
    response.status,
    errcode,
    `${method} ${path.split('?')[0] ?? ''} was answered ${String(response.status)} ${errcode}: ${error}`,
  );
}

function parseRefusal(text: string): { errcode?: string; error?: string } {
  try {
    return JSON.parse(text) as { errcode?: string; error?: string };
  } catch {
    return {};
  }
}

/** The status that a request was answered with, 200 standing for any success. Other errors are thrown. */
export async function statusOf(request: Promise<unknown>): Promise<number> {
  try {
    await request;
    return 200;
  } catch (error) {
    if (error instanceof MatrixHttpError) return error.status;
    throw error;
  }
}
