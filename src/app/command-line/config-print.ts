import { effectiveSettings, settingsToYaml, readConfigSource } from '../../config/index.ts';
import { CONFIG_FLAG, configFile } from './config-flag.ts';
import type { CliCommand } from './command.ts';

/** `mintwarden config print`: what counts, and why. */
export const configPrint: CliCommand = {
  name: 'config print',
  summary: 'show the configuration as it counts, and where each value came from',
  usage: '[--config FILE] [--json]',
  flags: [CONFIG_FLAG, { name: 'json', value: null, help: 'as a list of key, value and origin' }],
  notes: ['Secrets are not shown. The files they are in are named, and not opened.'],
  run: async (flags) => {
    const entries = effectiveSettings(await readConfigSource(configFile(flags), process.env));
    const said = entries.map(({ key, value, from }) => ({
      key,
      value,
      from,
      ...(value === null ? { secret: true } : {}),
    }));
    process.stdout.write(
      flags['json'] === true ? `${JSON.stringify(said, null, 2)}\n` : settingsToYaml(entries),
    );
    return 0;
  },
};
