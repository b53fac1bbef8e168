export { closest } from './closest.ts';
export { toPolicy, redactedConfig, type Config } from './config.ts';
export { isLoopback } from './contradictions.ts';
export { loadConfig, problemsOf } from './load.ts';
export { readSecretFile } from './secret-file.ts';
