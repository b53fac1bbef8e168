export { createSealer } from './sealer.ts';
export { loadKey, loadOrCreateKey } from './key-file.ts';
