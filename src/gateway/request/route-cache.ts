import { LRUCache } from 'lru-cache';
import type { Target } from '../http/target.ts';
import type { Route } from './router.ts';

/** What was understood of a request target. */
export type Routed = { readonly target: Target; readonly route: Route | null };

/** What targets of GET requests mean, which depends on nothing else. Holders ask for the same few again and again. */
export interface RouteCache {
  get(method: string, rawTarget: string): Routed | undefined;
  set(method: string, rawTarget: string, routed: Routed): void;
}

const MAX_ROUTES = 2_000;
/** Longer ones are seldom asked twice. */
const MAX_LENGTH = 256;

/** A cache that forgets what was asked longest ago. No token is ever in it: a target that has one is refused. */
export function createRouteCache(): RouteCache {
  const known = new LRUCache<string, Routed>({ max: MAX_ROUTES });
  return {
    get: (method, rawTarget) => (method === 'GET' ? known.get(rawTarget) : undefined),
    set(method, rawTarget, routed) {
      if (method === 'GET' && rawTarget.length <= MAX_LENGTH) known.set(rawTarget, routed);
    },
  };
}
