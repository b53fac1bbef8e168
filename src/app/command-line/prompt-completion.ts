import type { Command } from '../../bot/command.ts';
import { allOperatorCommands } from '../exec/operator-commands.ts';

/** What may stand in the place of the last word, and that word, as readline wants it. */
export type Completions = [completions: string[], word: string];

/**
 * What the last word of a line may be: a verb, a flag that was not said, the id of a grant, a command to
 * explain.
 * @param ids the ids of live grants
 */
export async function complete(line: string, ids: () => Promise<readonly string[]>): Promise<Completions> {
  const words = line.trimStart().split(/\s+/);
  const word = words.at(-1) ?? '';
  const commands = allOperatorCommands();
  if (words.length <= 1) {
    const bang = word.startsWith('!') ? '!' : '';
    return matching(
      commands.map(({ name }) => `${bang}${name}`),
      word,
    );
  }
  const verb = (words[0] ?? '').replace(/^!/, '').toLowerCase();
  const command = commands.find(({ name }) => name === verb);
  if (command === undefined) return [[], word];
  if (word.startsWith('-')) return matching(unusedFlags(command, words), word);
  if (verb === 'help')
    return matching([...commands.map(({ name }) => name), 'capabilities', 'presets'], word);
  if (words.length === 2 && command.parameters[0]?.name === 'ID')
    return matching(await ids(), word.toUpperCase(), word);
  return [[], word];
}

function unusedFlags(command: Command, words: readonly string[]): readonly string[] {
  return command.flags.map(({ name }) => `--${name}`).filter((flag) => !words.slice(0, -1).includes(flag));
}

function matching(all: readonly string[], beginning: string, word = beginning): Completions {
  return [all.filter((each) => each.startsWith(beginning)).map((each) => `${each} `), word];
}
