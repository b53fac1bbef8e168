import type { Endpoint, RefusedEndpoint } from '../request/endpoint.ts';
import type { Method } from '../http/call.ts';

type More = Partial<Pick<RefusedEndpoint, 'also' | 'aliases' | 'source'>>;
type Methods = Method | readonly Method[] | 'any';

/** Refused to every token, whatever its scope. */
export function never(
  id: string,
  methods: Methods,
  paths: string | readonly string[],
  why: string,
  more: More = {},
): Endpoint {
  return { id, kind: 'refused', needs: 'never', ...request(methods, paths), why, ...more };
}

/** As `never`, but the response says that there is no such operation. */
export function unserved(
  id: string,
  methods: Methods,
  paths: string | readonly string[],
  why: string,
  more: More = {},
): Endpoint {
  return { id, kind: 'refused', needs: 'never', unserved: true, ...request(methods, paths), why, ...more };
}

function request(
  methods: Methods,
  paths: string | readonly string[],
): Pick<RefusedEndpoint, 'methods' | 'paths'> {
  return {
    methods: methods === 'any' ? 'any' : typeof methods === 'string' ? [methods] : methods,
    paths: typeof paths === 'string' ? [paths] : paths,
  };
}
