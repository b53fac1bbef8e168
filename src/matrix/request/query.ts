type Value = string | number | boolean | null | undefined;

/** Query parameters; an array repeats its name. */
export type Query = Record<string, Value | readonly Value[]>;

/** `uri` with the parameters added to those it has; null and undefined ones are left out. */
export function withQuery(uri: string, query: Query | null | undefined): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    for (const item of Array.isArray(value) ? (value as readonly Value[]) : [value as Value]) {
      if (item !== null && item !== undefined) parameters.append(name, String(item));
    }
  }
  if (parameters.size === 0) return uri;
  return `${uri}${uri.includes('?') ? '&' : '?'}${parameters.toString()}`;
}
