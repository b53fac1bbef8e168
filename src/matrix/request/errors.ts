/** undici's codes by those that users of `request` know. */
const CODES: Record<string, string> = {
  UND_ERR_CONNECT_TIMEOUT: 'ETIMEDOUT',
  UND_ERR_HEADERS_TIMEOUT: 'ESOCKETTIMEDOUT',
  UND_ERR_BODY_TIMEOUT: 'ESOCKETTIMEDOUT',
  UND_ERR_SOCKET: 'ECONNRESET',
};

/** An Error with the `code` that `request` would have given. It holds nothing of the request itself. */
export function toRequestError(thrown: unknown): Error & { code: string | undefined } {
  const cause = thrown instanceof Error ? thrown : new Error(String(thrown));
  const code = (cause as { code?: string }).code;
  const known = code === undefined ? undefined : (CODES[code] ?? code);
  return Object.assign(new Error(known ?? cause.message), { code: known });
}
