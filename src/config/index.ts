export { closest } from './closest.ts';
export { toPolicy, redactedConfig, type Config } from './config.ts';
export { isLoopback } from './cross-checks.ts';
export { toConfig, loadConfig, parseListen, validateConfig } from './load.ts';
export { effectiveSettings, settingsToYaml } from './settings.ts';
export { jsonSchema } from './json-schema.ts';
export { readConfigSource, type ConfigSource } from './source.ts';
export { readSecretFile } from './secret-file.ts';
