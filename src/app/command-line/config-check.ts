import { effectiveSettings, loadConfig, readConfigSource } from '../../config/index.ts';
import { CONFIG_FLAG, configFile } from './config-flag.ts';
import type { CliCommand } from './command.ts';

/** `mintwarden config check`: reads all that a start would read, and asks nobody. */
export const configCheck: CliCommand = {
  name: 'config check',
  summary: 'read the configuration and say what is wrong with it',
  usage: '[--config FILE]',
  flags: [CONFIG_FLAG],
  notes: [
    'Looks at the file, the environment and the files with secrets, and names each problem with its line.',
    'Asks no homeserver: what only that knows is what mintwarden doctor looks at.',
  ],
  run: async (flags) => {
    const config = await loadConfig(configFile(flags), process.env);
    const entries = effectiveSettings(await readConfigSource(config.file, process.env));
    const fromEnvironment = entries.filter(({ from }) => from.startsWith('$')).length;
    const defaults = entries.filter(({ from }) => from === 'default').length;
    console.log(
      `${config.file} is right: ${entries.length - fromEnvironment - defaults} keys set there, ` +
        `${fromEnvironment} by the environment, ${defaults} left at their defaults.`,
    );
    return 0;
  },
};
