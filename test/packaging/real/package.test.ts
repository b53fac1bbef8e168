import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mint, takeDelivery, takeNotice } from '../../harness/control-room.ts';
import { HarnessError } from '../../harness/harness-error.ts';
import { request, syncedRooms } from '../../harness/holder.ts';
import { runCommand } from '../../harness/run-command.ts';
import { setTheStage, type Stage } from '../../harness/stage.ts';

/* What `npm pack` makes, installed into an empty folder as somebody far from this repository would. */

const ROOT = resolve(import.meta.dirname, '../../..');
const PATH = `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`;

type Facts = {
  readonly version: string;
  readonly dependencies: Record<string, string>;
  readonly scripts?: Record<string, string>;
  readonly bin: Record<string, string>;
};

let folder: string;
let packed: { filename: string; size: number; unpackedSize: number; files: { path: string }[] };
let stage: Stage | undefined;

const npm = async (...args: string[]): Promise<string> => {
  const { ok, output } = await runCommand('npm', args, {
    cwd: args[0] === 'pack' ? ROOT : folder,
    env: { ...process.env, PATH },
  });
  if (!ok) throw new HarnessError(`npm ${args[0] ?? ''} failed:\n${output.join('\n')}`);
  return output.join('\n');
};
const installed = (...path: string[]): string => join(folder, 'node_modules', ...path);
const factsOf = async (name: string): Promise<Facts> =>
  JSON.parse(await readFile(installed(name, 'package.json'), 'utf8')) as Facts;
const program = async (): Promise<string> =>
  installed('mintwarden', (await factsOf('mintwarden')).bin['mintwarden'] ?? '');

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mintwarden-package-'));
  const said = await npm('pack', '--json', '--pack-destination', folder);
  const told = JSON.parse(said.slice(said.search(/^\[$/m), said.search(/^\]$/m) + 1)) as (typeof packed)[];
  packed = told[0] as typeof packed;
  await npm('install', '--prefix', folder, '--no-audit', '--no-fund', join(folder, packed.filename));
});

afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
});

test('it holds the program, its papers, and nothing else', () => {
  const paths = packed.files.map(({ path }) => path);
  expect(paths).toEqual(
    expect.arrayContaining([
      'LICENSE',
      'README.md',
      'bot.example.yaml',
      'dist/main.js',
      'dist/LICENCES.txt',
      'docs/running.md',
    ]),
  );
  const others = paths.filter(
    (path) =>
      !/^(?:dist\/[\w-]+\.js|dist\/LICENCES\.txt|docs\/[\w/.-]+|config\/[\w/.-]+|src\/mintwarden\.mjs|bot\.example\.yaml|package\.json|LICENSE|[A-Z]+\.md)$/.test(
        path,
      ),
  );
  expect(others).toEqual([]);
  expect(paths.filter((path) => /test|\.ts$|\.token$|\.password$|\.key$|\.log$|state\//.test(path))).toEqual(
    [],
  );
  expect(packed.size).toBeLessThan(2_000_000);
});

test('nothing that is installed with it runs a script, or is what it replaces', async () => {
  const names = (await readdir(installed())).filter((name) => !name.startsWith('.'));
  const all = await Promise.all(
    names.map(async (name) =>
      name.startsWith('@') ? (await readdir(installed(name))).map((below) => `${name}/${below}`) : [name],
    ),
  );
  const packages = all.flat();
  expect(packages).toContain('@matrix-org/matrix-sdk-crypto-wasm');
  for (const gone of [
    'request',
    'request-promise',
    'matrix-bot-sdk',
    '@matrix-org/matrix-sdk-crypto-nodejs',
    'node',
    'typescript',
  ]) {
    expect(packages).not.toContain(gone);
  }
  for (const name of packages) {
    const { scripts = {} } = await factsOf(name);
    expect([name, scripts['preinstall'], scripts['install'], scripts['postinstall']]).toEqual([
      name,
      undefined,
      undefined,
      undefined,
    ]);
    expect([name, await stat(installed(name, 'binding.gyp')).catch(() => null)]).toEqual([name, null]);
  }
});

test('npx finds it, and it says its version and what is wrong', async () => {
  expect(await npm('exec', '--prefix', folder, '--no', '--', 'mintwarden', '--version')).toBe(
    (await factsOf('mintwarden')).version,
  );
  const check = await runCommand(process.execPath, [
    await program(),
    'config',
    'check',
    '--config',
    installed('mintwarden', 'bot.example.yaml'),
  ]);
  expect(check.status).toBe(1);
  expect(check.output.join('\n')).toMatch(/bot\.example\.yaml/);
});

test.each([0, 2])(
  'set up on a real homeserver, it mints a token that works, with %i processes of the gateway',
  async (processes) => {
    await stage?.[Symbol.asyncDispose]();
    stage = await setTheStage({
      program: await program(),
      ...(processes > 0 && { config: { 'gateway.processes': processes } }),
    });
    const { output, status } = await stage.mintwarden.command('config', 'check');
    expect(output).toContain('is right');
    expect(status).toBe(0);
    const grant = await mint(stage, `!mint @alice --rooms ${stage.ops} --read-only --ttl 1h`);
    await takeNotice(stage, stage.alice, grant);
    const { token } = await takeDelivery(stage, stage.olivia, grant);
    const { mintwarden } = stage;
    const read = (room: string, limit = 5) =>
      request(
        { mintwarden },
        token,
        'GET',
        `/rooms/${encodeURIComponent(room)}/messages?dir=b&limit=${limit}`,
      );
    expect((await read(stage.ops)).status).toBe(200);
    expect((await read(stage.diary)).status).toBe(403);
    expect(syncedRooms((await request(stage, token, 'GET', '/sync?timeout=0')).body)).toEqual([stage.ops]);
    // An answer too large for the process itself goes through a thread, which is a file of its own.
    const alices = { msgtype: 'm.text', body: 'long '.repeat(10_000) };
    for (let count = 0; count < 24; count++)
      await stage.alice.sendPlaintext(stage.ops, 'm.room.message', alices);
    const large = await read(stage.ops, 30);
    expect(large.status).toBe(200);
    expect(JSON.stringify(large.body).length).toBeGreaterThan(1_100_000);
    await stage.mintwarden.kill();
    await stage.mintwarden.start();
    expect((await read(stage.ops)).status).toBe(200);
  },
);
