import { type GatewayResponse, ambiguous, MISSING_TOKEN } from './response.ts';

/**
 * The token of a request: one `Authorization` header, scheme Bearer (RFC 6750, 2.1), nothing else.
 * @param rawHeaders name, value, name, value, …, as they came
 */
export function parseBearer(rawHeaders: readonly string[]): { readonly token: string } | GatewayResponse {
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    if (name.length !== AUTHORIZATION.length || name.toLowerCase() !== AUTHORIZATION) continue;
    const match = /^Bearer ([A-Za-z0-9\-._~+/]{1,512}=*)$/i.exec(rawHeaders[at + 1] ?? '');
    return match?.[1] === undefined ? MISSING_TOKEN : { token: match[1] };
  }
  return MISSING_TOKEN;
}

const AUTHORIZATION = 'authorization';
const ONCE = [
  AUTHORIZATION,
  'host',
  'content-length',
  'content-type',
  'content-encoding',
  'transfer-encoding',
] as const;
/** Every request pays for the look: most names are told apart by their length. */
const ONCE_BY_LENGTH = new Map<number, number>(ONCE.map((name, index) => [name.length, index]));

/** Refuses a request that gives one of those headers twice of which Node would silently take the first. */
export function repeatedHeader(rawHeaders: readonly string[]): GatewayResponse | null {
  let seen = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    const index = ONCE_BY_LENGTH.get(name.length);
    if (index === undefined || name.toLowerCase() !== ONCE[index]) continue;
    const bit = 1 << index;
    if ((seen & bit) !== 0) return ambiguous('a header is given twice');
    seen |= bit;
  }
  return null;
}
