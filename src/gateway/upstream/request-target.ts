import type { UpstreamRequest } from '../http/call.ts';

/** A request's path and query, encoded. */
export function requestTarget({ path, query }: Pick<UpstreamRequest, 'path' | 'query'>): string {
  let target = path;
  let separator = '?';
  for (const [name, value] of query) {
    target += `${separator}${encodeURIComponent(name)}=${encodeURIComponent(value)}`;
    separator = '&';
  }
  return target;
}
