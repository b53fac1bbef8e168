import { MintwardenError } from '../../domain/errors.ts';
import { allOperatorCommands } from '../exec/operator-commands.ts';
import { bashScript } from './completion/bash.ts';
import { fishScript } from './completion/fish.ts';
import { modelOf, type Model } from './completion/model.ts';
import { zshScript } from './completion/zsh.ts';
import { textOf, type CliCommand } from './command.ts';

const SCRIPTS: ReadonlyMap<string, (model: Model) => string> = new Map([
  ['bash', bashScript],
  ['zsh', zshScript],
  ['fish', fishScript],
]);

/** `mintwarden completion`: prints the script that makes a shell complete the other commands. */
export function completionOf(others: readonly CliCommand[]): CliCommand {
  return {
    name: 'completion',
    summary: 'print what makes a shell complete commands and flags',
    usage: 'bash|zsh|fish',
    operands: ['SHELL'],
    flags: [],
    notes: [
      'bash: echo "source <(mintwarden completion bash)" >> ~/.bashrc',
      'zsh:  echo "source <(mintwarden completion zsh)" >> ~/.zshrc, below the line with compinit',
      'fish: mintwarden completion fish > ~/.config/fish/completions/mintwarden.fish',
    ],
    run: async (flags) => {
      const shell = textOf(flags, 'SHELL');
      const script = SCRIPTS.get(shell ?? '');
      if (script === undefined) {
        throw new MintwardenError(
          'usage',
          `There is completion for ${[...SCRIPTS.keys()].join(', ')}.`,
          'Write: mintwarden completion bash',
        );
      }
      process.stdout.write(script(modelOf(others, allOperatorCommands())));
      return 0;
    },
  };
}
