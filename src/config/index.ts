export { closest } from './closest.ts';
export { toPolicy, redactedConfig, type Config } from './config.ts';
export { isLoopback } from './contradictions.ts';
export { configOf, loadConfig, problemsOf } from './load.ts';
export { effective, effectiveInYaml } from './print.ts';
export { jsonSchema } from './json-schema.ts';
export { readWritten, type Written } from './read.ts';
export { readSecretFile } from './secret-file.ts';
