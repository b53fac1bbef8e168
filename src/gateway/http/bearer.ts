import { type GatewayResponse, ambiguous, MISSING_TOKEN } from './response.ts';

/**
 * The token of a request: one `Authorization` header, scheme Bearer (RFC 6750, 2.1), nothing else.
 * @param rawHeaders name, value, name, value, …, as they came
 */
export function parseBearer(rawHeaders: readonly string[]): { readonly token: string } | GatewayResponse {
  const value = rawHeaders.find(
    (_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === 'authorization',
  );
  const match = /^Bearer ([A-Za-z0-9\-._~+/]{1,512}=*)$/i.exec(value ?? '');
  return match?.[1] === undefined ? MISSING_TOKEN : { token: match[1] };
}

const ONCE = new Set([
  'authorization',
  'host',
  'content-length',
  'content-type',
  'content-encoding',
  'transfer-encoding',
]);

/** Refuses a request that gives one of those headers twice of which Node would silently take the first. */
export function repeatedHeader(rawHeaders: readonly string[]): GatewayResponse | null {
  const seen = new Set<string>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]?.toLowerCase() ?? '';
    if (ONCE.has(name) && seen.has(name)) return ambiguous('a header is given twice');
    seen.add(name);
  }
  return null;
}
