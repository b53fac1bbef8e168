import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { COMMANDS } from '../../src/app/command-line/commands.ts';
import { bashScript } from '../../src/app/command-line/completion/bash.ts';
import { fishScript } from '../../src/app/command-line/completion/fish.ts';
import { modelOf } from '../../src/app/command-line/completion/model.ts';
import { zshScript } from '../../src/app/command-line/completion/zsh.ts';
import { allOperatorCommands } from '../../src/app/exec/operator-commands.ts';

const folder = mkdtempSync(join(tmpdir(), 'mw-completion-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const model = modelOf(COMMANDS, allOperatorCommands());
const NAMES = [...new Set(COMMANDS.map(({ name }) => name.split(' ')[0] ?? ''))];
const VERBS = allOperatorCommands().map(({ name }) => name);
const SHELLS = { zsh: 'zsh', fish: 'fish' };
const has = (shell: string): boolean => spawnSync(shell, ['--version']).status === 0;

/** What bash offers after these words, the last of which is not finished. */
function bash(...words: readonly string[]): string[] {
  const script = `${bashScript(model)}
COMP_WORDS=(mintwarden "$@"); COMP_CWORD=$#
_mintwarden; printf '%s\\n' "\${COMPREPLY[@]}"`;
  // --norc: with a socket as its input and no SHLVL it takes itself for a remote shell, and reads bashrc.
  const { stdout, stderr, status } = spawnSync('bash', ['--norc', '-uc', script, 'bash', ...words], {
    encoding: 'utf8',
    cwd: folder,
  });
  expect([stderr, status]).toEqual(['', 0]);
  return stdout.split('\n').filter((line) => line !== '');
}

describe('bash', () => {
  test('offers every command, every verb and every flag there is', () => {
    expect(bash('').toSorted()).toEqual(NAMES.toSorted());
    expect(bash('exec', '')).toEqual(expect.arrayContaining(VERBS));
    for (const { name, flags } of COMMANDS) {
      expect(bash(...name.split(' '), '--').toSorted()).toEqual(
        expect.arrayContaining(flags.map((flag) => `--${flag.name}`).toSorted()),
      );
    }
    for (const { name, flags } of allOperatorCommands()) {
      expect(bash('exec', name, '--').toSorted()).toEqual(flags.map((flag) => `--${flag.name}`).toSorted());
    }
  });

  test('offers what fits, where it fits', () => {
    expect(bash('ex')).toEqual(['exec']);
    expect(bash('config', '')).toEqual(expect.arrayContaining(['check', 'print', 'schema']));
    expect(bash('exec', '--json', 're')).toEqual(['revoke', 'reload']);
    expect(bash('exec', 'mint', '@alice', '--ro')).toEqual(['--rooms', '--rooms-by']);
    expect(bash('exec', 'help', 'm')).toEqual(['mint']);
    expect(bash('exec', 'revoke', '')).toEqual([]);
    expect(bash('trust', '@alice', '--k')).toEqual(['--key']);
    expect(bash('completion', '')).toEqual(['bash', 'zsh', 'fish']);
    writeFileSync(join(folder, 'bot.yaml'), '');
    expect(bash('exec', '--config', 'bo')).toEqual(['bot.yaml']);
    expect(bash('exec', 'mint', '--out', 'bo')).toEqual(['bot.yaml']);
  });
});

describe.skipIf(!has(SHELLS.zsh))('zsh (only where it is installed)', () => {
  test('offers the same, with what each is for', () => {
    const after = (...words: readonly string[]): string => {
      const script = `compdef() { :; }; _files() { print -r -- FILES; }; _describe() { print -rl -- "\${(@P)argv[-1]}"; }
${zshScript(model)}
words=(mintwarden "$@"); CURRENT=$#words; _mintwarden`;
      const { stdout, stderr } = spawnSync(SHELLS.zsh, ['-fc', script, 'zsh', ...words], {
        encoding: 'utf8',
      });
      expect(stderr).toBe('');
      return stdout;
    };
    for (const name of NAMES) expect(after('')).toMatch(new RegExp(`^${name}:.`, 'm'));
    expect(after('exec', 'mint', '--')).toMatch(/^--out:write the token into a new file/m);
    expect(after('exec', 'mint', '--')).toMatch(/^--from:where requests may come from\\: 10\.0\.0\.0/m);
    expect(after('exec', '--config', '')).toBe('FILES\n');
    expect(after('exec', 'revoke', '')).toBe('\n');
  });
});

describe.skipIf(!has(SHELLS.fish))('fish (only where it is installed)', () => {
  test('offers the same, with what each is for', () => {
    const after = (line: string): string => {
      const script = `${fishScript(model)}\ncomplete -C ${JSON.stringify(`mintwarden ${line}`)}`;
      const { stdout, stderr } = spawnSync(SHELLS.fish, ['--no-config', '-c', script], {
        encoding: 'utf8',
        env: { ...process.env, HOME: folder },
      });
      expect(stderr).toBe('');
      return stdout;
    };
    for (const name of NAMES) expect(after('')).toMatch(new RegExp(`^${name}\t.`, 'm'));
    expect(after('exec mint @alice --o')).toMatch(/^--out\twrite the token into a new file/m);
    expect(
      after('exec re')
        .trim()
        .split('\n')
        .map((line) => line.split('\t')[0]),
    ).toEqual(expect.arrayContaining(['reload', 'revoke']));
    expect(after('config ')).toMatch(/^check\t/m);
  });
});
