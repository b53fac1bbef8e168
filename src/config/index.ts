export { toPolicy, redactedConfig, type AccountConfig, type Config } from './config.ts';
export { isLoopback } from './contradictions.ts';
export { loadConfig, problemsOf } from './load.ts';
export { isOpenToAll, readSecretFile } from './secret-file.ts';
