export { closest } from './closest.ts';
export { toPolicy, redactedConfig, type Config } from './config.ts';
export { isLoopback } from './cross-checks.ts';
export { configOf, loadConfig, problemsOf } from './load.ts';
export { effective, effectiveInYaml } from './settings.ts';
export { jsonSchema } from './json-schema.ts';
export { readWritten, type Written } from './source.ts';
export { readSecretFile } from './secret-file.ts';
