import type { Command } from '../../../bot/command.ts';
import type { CliCommand } from '../command.ts';

/** A word that may stand somewhere, and what it means. `file`: what follows it is a file's name. */
export type Choice = { readonly word: string; readonly help: string; readonly file: boolean };

/**
 * What may be typed after some words, flags aside: `''` is what may stand first, `exec mint` what may stand
 * after those two. Scripts of every shell are made from it.
 */
export type Model = ReadonlyMap<string, readonly Choice[]>;

const FILES = new Set(['FILE', 'DIR']);

/** The model of all commands, those that are given to the running service among them. */
export function modelOf(commands: readonly CliCommand[], machine: readonly Command[]): Model {
  const model = new Map<string, Choice[]>();
  const add = (after: string, choice: Choice): void => {
    const there = model.get(after) ?? [];
    if (!there.some(({ word }) => word === choice.word)) there.push(choice);
    model.set(after, there);
  };
  for (const { name, summary, flags } of commands) {
    const [first = '', second] = name.split(' ');
    add('', { word: first, help: second === undefined ? summary : `${first} …`, file: false });
    if (second !== undefined) add(first, { word: second, help: summary, file: false });
    for (const flag of flags)
      add(name, { word: `--${flag.name}`, help: flag.help, file: FILES.has(flag.value ?? '') });
  }
  for (const { name, summary, flags } of machine) {
    add('exec', { word: name, help: summary, file: false });
    if (flags.length === 0) model.set(`exec ${name}`, []);
    for (const flag of flags)
      add(`exec ${name}`, { word: `--${flag.name}`, help: flag.help, file: FILES.has(flag.placeholder) });
  }
  for (const { name } of machine) add('exec help', { word: name, help: `explain ${name}`, file: false });
  add('', { word: 'completion', help: 'print what makes a shell complete', file: false });
  for (const shell of ['bash', 'zsh', 'fish']) {
    add('completion', { word: shell, help: `for ${shell}`, file: false });
    model.set(`completion ${shell}`, []);
  }
  return model;
}

/** The flags that take a file's name, without repetition. */
export function fileFlags(model: Model): readonly string[] {
  return [...new Set([...model.values()].flat().flatMap(({ word, file }) => (file ? [word] : [])))];
}
