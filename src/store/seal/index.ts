export { createSealer, type SealerOptions, type SealingKey } from './sealer.ts';
export { loadKey, loadOrCreateKey } from './key-file.ts';
