import { cp, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCommand } from '../../harness/run-command.ts';

/*
 * The Dockerfile, followed by hand: there need be no Docker here. Each COPY finds what a clean clone and
 * .dockerignore leave it, each RUN is run, and what the last stage holds is started as its ENTRYPOINT says.
 */

const ROOT = resolve(import.meta.dirname, '../../..');
const PATH = `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`;

type Step = { readonly word: string; readonly rest: string };
type Stage = {
  readonly root: string;
  folder: string;
  readonly steps: Step[];
  readonly env: Record<string, string>;
};

let folder: string;
let image: Stage;

/** The instructions, with lines that are continued put together. */
async function instructions(): Promise<Step[]> {
  const text = (await readFile(join(ROOT, 'Dockerfile'), 'utf8')).replace(/\\\n\s*/g, ' ');
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  return lines.map((line) => ({
    word: line.slice(0, line.indexOf(' ')),
    rest: line.slice(line.indexOf(' ') + 1).trim(),
  }));
}

/** What Docker would be sent: what git knows, less what .dockerignore leaves out. */
async function context(): Promise<string> {
  const all = join(folder, 'context');
  await mkdir(all);
  const kept = (await readFile(join(ROOT, '.dockerignore'), 'utf8'))
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1));
  const { output } = await runCommand('git', ['-C', ROOT, 'ls-files', '--', ...kept]);
  for (const path of output) {
    await mkdir(dirname(join(all, path)), { recursive: true });
    await cp(join(ROOT, path), join(all, path)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
  }
  return all;
}

async function copy(step: Step, stage: Stage, from: string): Promise<void> {
  const words = step.rest.split(/\s+/).filter((word) => !word.startsWith('--'));
  const to = words.pop() ?? '';
  for (const word of words) {
    const into = to.endsWith('/') ? join(to, word.split('/').at(-1) ?? '') : to;
    const target = into.startsWith('/') ? join(stage.root, into) : join(stage.root, stage.folder, into);
    await mkdir(dirname(target), { recursive: true });
    await cp(join(from, word), target, { recursive: true, verbatimSymlinks: true });
  }
}

async function run(step: Step, stage: Stage): Promise<void> {
  if (!step.rest.startsWith('npm ')) return;
  const { ok, output } = await runCommand('sh', ['-c', step.rest], {
    cwd: join(stage.root, stage.folder),
    env: { ...process.env, PATH },
  });
  expect({ ok, output: ok ? [] : output }).toEqual({ ok: true, output: [] });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mintwarden-image-'));
  const sent = await context();
  const stages = new Map<string, Stage>();
  for (const step of await instructions()) {
    if (step.word === 'FROM') {
      expect(step.rest).toMatch(/^node:24-slim\b/);
      const name = / AS (\w+)$/.exec(step.rest)?.[1] ?? 'image';
      image = { root: join(folder, name), folder: '/', steps: [], env: {} };
      stages.set(name, image);
      await mkdir(image.root);
      continue;
    }
    image.steps.push(step);
    if (step.word === 'WORKDIR') {
      image.folder = step.rest;
      await mkdir(join(image.root, step.rest), { recursive: true });
    }
    if (step.word === 'COPY') {
      const from = /--from=(\w+)/.exec(step.rest)?.[1];
      const other = from === undefined ? undefined : stages.get(from);
      // What is taken from another stage is named by its whole path.
      await copy(step, image, other?.root ?? sent);
    }
    if (step.word === 'RUN') await run(step, image);
    if (step.word === 'ENV') image.env[step.rest.split('=')[0] ?? ''] = step.rest.split('=')[1] ?? '';
  }
});

afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));

const rest = (word: string): string => image.steps.findLast((step) => step.word === word)?.rest ?? '';

test('what is in it starts, as its entry point says', async () => {
  expect(rest('ENTRYPOINT')).toBe('["mintwarden"]');
  const linked = image.steps
    .map((step) => /ln -s (\S+) \/usr\/local\/bin\/mintwarden/.exec(step.rest)?.[1])
    .find((path) => path !== undefined);
  const program = join(image.root, linked ?? '');
  const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  const env = { PATH, ...image.env };
  expect((await runCommand(process.execPath, [program, '--version'], { env, cwd: '/' })).output).toEqual([
    version,
  ]);
  // All modules of the service are there: it gets as far as its configuration.
  const started = await runCommand(
    process.execPath,
    [program, 'start', '--config', join(folder, 'bot.yaml')],
    { env, cwd: '/' },
  );
  expect([started.status, started.output[0]]).toEqual([1, expect.stringContaining('bot.yaml')]);
  expect(JSON.parse(rest('CMD'))).toEqual(['start', '--config', '/data/bot.yaml']);
});

test('it holds the program and what that needs at work, and nothing more', async () => {
  const app = join(image.root, 'app');
  expect((await readdir(app)).toSorted()).toEqual(['LICENSE', 'dist', 'node_modules', 'package.json', 'src']);
  expect(await readdir(join(app, 'src'))).toEqual(['mintwarden.mjs']);
  const names = await readdir(join(app, 'node_modules'));
  for (const tool of [
    'typescript',
    'vitest',
    'rolldown',
    'matrix-js-sdk',
    'node',
    'request',
    'matrix-bot-sdk',
  ])
    expect(names).not.toContain(tool);
});

test('it runs as nobody special, and the port it is reached at is the one that is asked for its health', () => {
  expect(rest('USER')).toBe('node');
  expect(image.steps.findIndex(({ word }) => word === 'USER')).toBeGreaterThan(
    image.steps.findLastIndex(({ word }) => word === 'RUN'),
  );
  expect(rest('VOLUME')).toBe('/data');
  expect(image.env['MINTWARDEN_GATEWAY_LISTEN']).toBe(`0.0.0.0:${rest('EXPOSE')}`);
  expect(rest('HEALTHCHECK')).toContain(`http://127.0.0.1:${rest('EXPOSE')}/health`);
});
