import type { CliCommand } from './command.ts';

const column = (words: readonly (readonly [string, string])[]): string[] => {
  const width = Math.max(...words.map(([left]) => left.length)) + 2;
  return words.map(([left, right]) => `  ${left.padEnd(width)}${right}`);
};

/** The help of the whole program. */
export function generalHelp(commands: readonly CliCommand[]): string {
  return [
    'Mintwarden: manage Matrix access tokens by chat.',
    '',
    'Usage: mintwarden COMMAND [flags]',
    '',
    ...column(commands.map(({ name, summary }) => [name, summary] as const)),
    '',
    'mintwarden COMMAND --help says more of each; mintwarden --version the version.',
    'Exit status: 0 done, 1 failed, 2 not understood.',
  ].join('\n');
}

/** The help of one command. */
export function commandHelp(command: CliCommand): string {
  const flags = [
    ...command.flags.map(
      ({ name, value, help }) => [value === null ? `--${name}` : `--${name} ${value}`, help] as const,
    ),
    ['--debug', 'show where an error comes from'] as const,
  ];
  return [
    `Usage: mintwarden ${command.name} ${command.usage}`.trimEnd(),
    '',
    `${command.summary}.`,
    '',
    ...column(flags),
    ...(command.notes.length > 0 ? ['', ...command.notes] : []),
  ].join('\n');
}
