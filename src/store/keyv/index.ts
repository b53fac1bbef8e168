export { openCache } from './open-cache.ts';
