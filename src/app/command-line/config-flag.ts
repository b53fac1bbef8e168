import { textOf, type CliFlag, type Flags } from './command.ts';

/** The flag by which every command finds its configuration. */
export const CONFIG_FLAG: CliFlag = {
  name: 'config',
  value: 'FILE',
  help: 'the configuration (default: $MINTWARDEN_CONFIG, or ./bot.yaml)',
};

/** Where the configuration is. */
export function configFile(flags: Flags): string {
  return textOf(flags, 'config') ?? process.env['MINTWARDEN_CONFIG'] ?? 'bot.yaml';
}
