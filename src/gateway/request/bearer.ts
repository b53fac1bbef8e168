import { type Answer, ambiguous, MISSING_TOKEN } from '../answer.ts';

/**
 * The token of a request: one `Authorization` header, scheme Bearer (RFC 6750, 2.1), nothing else.
 * @param rawHeaders name, value, name, value, …, as they came
 */
export function bearerOf(rawHeaders: readonly string[]): { readonly token: string } | Answer {
  const values: string[] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.toLowerCase() === 'authorization') values.push(rawHeaders[at + 1] ?? '');
  }
  if (values.length > 1) return ambiguous('a header is given twice');
  const match = /^Bearer ([A-Za-z0-9\-._~+/]{1,512}=*)$/i.exec(values[0] ?? '');
  return match?.[1] === undefined ? MISSING_TOKEN : { token: match[1] };
}
