export { openCache } from './open-cache.ts';
export { readCached } from './read-cached.ts';
