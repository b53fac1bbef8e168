export { toPolicy, redactedConfig, type AccountConfig, type Config } from './config.ts';
export { isLoopback } from './contradictions.ts';
export { loadConfig } from './load.ts';
export { isOpenToAll } from './secret-file.ts';
