/* The command line of Mintwarden. `src/mintwarden.mjs` is what `bin` names: it checks the version of Node first. */
import { MintwardenError } from './domain/errors.ts';
import { COMMANDS } from './app/command-line/commands.ts';
import { findCommand } from './app/command-line/find-command.ts';
import { commandHelp, generalHelp } from './app/command-line/help.ts';
import { parseFlags } from './app/command-line/parse-flags.ts';
import { ownVersion } from './app/version.ts';

// Files that libraries write must not be readable by others either.
process.umask(0o077);
const words = process.argv.slice(2);
try {
  process.exitCode = await main();
} catch (error) {
  process.exitCode = complain(error);
}

async function main(): Promise<number> {
  const first = words[0] ?? '--help';
  if (first === 'help' && words.length > 1) {
    console.log(commandHelp(findCommand(words.slice(1), COMMANDS)));
    return 0;
  }
  if (['--help', '-h', 'help'].includes(first)) {
    console.log(generalHelp(COMMANDS));
    return words.length === 0 ? 2 : 0;
  }
  if (first === '--version') {
    console.log(await ownVersion());
    return 0;
  }
  const command = findCommand(words, COMMANDS);
  const rest = words.slice(command.name.split(' ').length);
  if (rest.includes('--help') || rest.includes('-h')) {
    console.log(commandHelp(command));
    return 0;
  }
  return command.run(parseFlags(command, rest));
}

function complain(error: unknown): number {
  if (error instanceof MintwardenError) {
    console.error(`${error.message}${error.hint === null ? '' : `\n${error.hint}`}`);
    if (words.includes('--debug')) console.error(error.stack, error.cause);
    return error.code === 'usage' ? 2 : 1;
  }
  console.error(
    `Something went wrong inside Mintwarden: ${error instanceof Error ? error.message : String(error)}`,
  );
  console.error(
    words.includes('--debug') && error instanceof Error
      ? error.stack
      : 'Run it again with --debug to see where.',
  );
  return 1;
}
