export { type Cache, type CacheOptions, openCache } from './open-cache.ts';
export { sqliteKeyvStore } from './sqlite-store.ts';
