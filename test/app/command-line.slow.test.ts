import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const BIN = join(import.meta.dirname, '../../src/mintwarden.mjs');

function run(...args: string[]): { status: number | null; out: string; err: string } {
  const env = { PATH: process.env['PATH'] ?? '' };
  const done = spawnSync(process.execPath, [BIN, ...args], {
    encoding: 'utf8',
    env,
    cwd: tmpdir(),
    input: '',
  });
  return { status: done.status, out: done.stdout, err: done.stderr };
}

test.each(['init', 'doctor', 'start', 'can', 'audit verify', 'trust'])(
  'help names %s, which has a help of its own',
  (command) => {
    const { status, out } = run('--help');
    expect(status).toBe(0);
    expect(out).toContain(`  ${command} `);
    expect(run(...command.split(' '), '--help')).toMatchObject({
      status: 0,
      out: expect.stringContaining(`Usage: mintwarden ${command}`),
    });
  },
);

test('help of a command can be asked for in two ways, and the version be shown', () => {
  expect(run('help', 'audit', 'verify').out).toBe(run('audit', 'verify', '--help').out);
  expect(run('--version')).toMatchObject({ status: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
});

test.each([
  [['dcotor'], /no command "dcotor"\. Did you mean doctor\?/],
  [['audit'], /Did you mean audit verify\?/],
  [['audit', 'verfy'], /Did you mean audit verify\?/],
  [['frobnicate'], /no command "frobnicate"\.\nmintwarden --help/],
  [['--config', 'x', 'start'], /The command comes first, then --config\./],
  [['help', 'dcotor'], /Did you mean doctor\?/],
  [['doctor', '-c', 'x'], /no flag -c\./],
  [['doctor', '--confg', 'x'], /no flag --confg/],
  [['doctor', 'x'], /one word too many/],
  [['trust', '@a', '@b'], /"@b" is one word too many/],
  [['trust', '@a', '--key'], /needs a value/],
  [['doctor', '--config', 'a', '--config', 'b'], /said twice/],
  [['doctor', '--config'], /needs a value/],
  [['init'], /--homeserver is missing/],
  [
    ['init', '--homeserver', 'http://h', '--public-url', 'https://p', '--admins', '@a:b'],
    /access token is missing/,
  ],
  [
    [
      'init',
      '--homeserver',
      'http://h',
      '--public-url',
      'https://p',
      '--admins',
      '@a:b',
      '--admin-user',
      'a',
    ],
    /password of --admin-user is missing/,
  ],
  [['init', '--admin-token', 'syt_secret'], /no flag --admin-token/],
])('%j is not understood: status 2, a sentence, no stack', (args, says) => {
  const { status, out, err } = run(...args);
  expect({ status, out }).toEqual({ status: 2, out: '' });
  expect(err).toMatch(says);
  expect(err).not.toMatch(/ {4}at |syt_secret/);
});

test('a missing configuration: status 1, a sentence and the next step; the stack only with --debug', () => {
  for (const command of [['start'], ['audit', 'verify']]) {
    const { status, err } = run(...command, '--config', '/nowhere/bot.yaml');
    expect(status).toBe(1);
    expect(err).toBe(
      'The configuration /nowhere/bot.yaml does not exist.\nRun mintwarden init, or name another file with --config.\n',
    );
  }
  expect(run('start', '--config', '/nowhere/bot.yaml', '--debug').err).toMatch(/ {4}at /);
});

test('to doctor a missing configuration is a finding, for people and for scripts', () => {
  const told = run('doctor', '--config', '/nowhere/bot.yaml');
  expect(told).toMatchObject({ status: 1, err: '' });
  expect(told.out).toMatch(/^FAIL {2}configuration .*does not exist[^]*→ Run mintwarden init/);
  const { status, out } = run('doctor', '--json', '--config', '/nowhere/bot.yaml');
  expect(status).toBe(1);
  expect(JSON.parse(out)).toMatchObject({
    version: 1,
    worst: 'fail',
    findings: [{ id: 'configuration', severity: 'fail' }],
  });
});

test.each(['20.11.1', '24.11.1'])('Node %s is too old, and the launcher says so', async (version) => {
  const dir = await mkdtemp(join(tmpdir(), 'mintwarden-node-'));
  // The launcher as an older Node runs it: the same file, told another version.
  const old = join(dir, 'old.cjs');
  await writeFile(
    old,
    `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } });`,
  );
  await chmod(old, 0o600);
  const done = spawnSync(process.execPath, ['--require', old, BIN, 'start'], { encoding: 'utf8' });
  await rm(dir, { recursive: true });
  expect(done.status).toBe(1);
  expect(done.stderr.split('\n')[0]).toBe(`Mintwarden needs Node 24.12 or newer; this is Node ${version}.`);
});
