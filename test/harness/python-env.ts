import { createHash } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { findPython, pythonNames } from './find-python.ts';
import { lockFolder } from './folder-lock.ts';
import { HarnessError } from './harness-error.ts';
import { runCommand } from './run-command.ts';

const projectRoot = resolve(import.meta.dirname, '../..');
const lockTimeoutMs = 10 * 60_000;

/** A virtual environment with Synapse and matrix-nio in it. */
export interface PythonEnv {
  /** The environment's own interpreter. */
  python: string;
}

/** How to make the environment; the defaults are the project's own. */
export interface PythonEnvOptions {
  dir?: string;
  requirementsPath?: string;
  /** What is in there, for people. */
  what?: string;
  /** Told what is going on, one short line at a time. */
  onProgress?: (line: string) => void;
  /** Commands to try as Python 3. */
  pythons?: readonly string[];
}

/**
 * The project's virtual environment, made the first time (about a minute) and checked every other time
 * (some milliseconds). Packages are pinned by version and hash. Processes may call this at the same
 * time; an installation that was interrupted starts again.
 * Throws {@link HarnessError} that says what to install or what went wrong.
 */
export async function ensurePythonEnv(options: PythonEnvOptions = {}): Promise<PythonEnv> {
  const dir = options.dir ?? join(projectRoot, '.venv');
  const requirementsPath = options.requirementsPath ?? join(import.meta.dirname, 'requirements.txt');
  const what = options.what ?? 'Synapse and matrix-nio';
  const progress = options.onProgress ?? ((): void => undefined);
  const env = { python: join(dir, 'bin', 'python') };
  const digest = createHash('sha256')
    .update(await readFile(requirementsPath))
    .digest('hex');

  if (await isComplete(dir, env, digest)) return env;
  await using _lock = await lockFolder(`${dir}.lock`, {
    timeoutMs: lockTimeoutMs,
    onWait: () => {
      progress(`waiting for another process that is installing ${what}`);
    },
  });
  if (await isComplete(dir, env, digest)) return env;

  await rm(dir, { recursive: true, force: true });
  const base = await findPython(options.pythons ?? pythonNames);
  progress(`making a virtual environment in ${dir}`);
  await makeEnvironment(base, dir, env);
  progress(`installing ${what} from PyPI (once; about a minute)`);
  await installPackages(env, requirementsPath, what, progress);
  await writeFile(markerPath(dir), `${digest}\n`);
  progress(`installed: ${what}`);
  return env;
}

/** Written last, so an environment that has it is whole. */
function markerPath(dir: string): string {
  return join(dir, '.complete');
}

async function isComplete(dir: string, env: PythonEnv, digest: string): Promise<boolean> {
  const marker = await readFile(markerPath(dir), 'utf8').catch(() => '');
  if (marker.trim() !== digest) return false;
  // The Python it was made from may have been removed since.
  return (await runCommand(env.python, ['-c', ''])).ok;
}

async function makeEnvironment(base: string, dir: string, env: PythonEnv): Promise<void> {
  const attempts: [string, string[]][][] = [
    [[base, ['-m', 'venv', dir]]],
    [[base, ['-m', 'virtualenv', '--quiet', dir]]],
    [['virtualenv', ['--quiet', '--python', base, dir]]],
    // Debian's python3-pip without python3-venv: an environment without pip, and pip put in from outside.
    [
      [base, ['-m', 'venv', '--without-pip', dir]],
      [base, ['-m', 'pip', '--python', env.python, 'install', 'pip']],
    ],
  ];
  let firstFailure: string[] | undefined;
  for (const steps of attempts) {
    const output: string[] = [];
    for (const [command, args] of steps) output.push(...(await runCommand(command, args)).output);
    if ((await runCommand(env.python, ['-m', 'pip', '--version'])).ok) return;
    firstFailure ??= output;
    await rm(dir, { recursive: true, force: true });
  }
  throw new HarnessError(
    `${base} could not make a virtual environment in ${dirname(dir)}. Its "venv" module or "ensurepip" is missing: ` +
      'install it (Debian and Ubuntu: "apt install python3-venv") and run this again. ' +
      `Python said:\n${tail(firstFailure ?? [])}`,
  );
}

async function installPackages(
  env: PythonEnv,
  requirementsPath: string,
  what: string,
  progress: (line: string) => void,
): Promise<void> {
  let fetched = 0;
  const { ok, output } = await runCommand(
    env.python,
    '-m pip install --require-hashes --only-binary :all: --no-input --disable-pip-version-check --progress-bar off -r'
      .split(' ')
      .concat(requirementsPath),
    {
      onLine: (line) => {
        if (line.startsWith('Collecting ') && ++fetched % 20 === 0)
          progress(`fetched ${String(fetched)} packages`);
        if (line.startsWith('Installing collected packages')) progress('unpacking');
      },
    },
  );
  if (ok) return;
  throw new HarnessError(
    `${what} could not be installed from PyPI. Check that this machine reaches it (pip obeys HTTPS_PROXY and pip.conf), ` +
      `then run this again. pip said:\n${tail(output)}`,
  );
}

function tail(lines: readonly string[]): string {
  return lines.slice(-15).join('\n');
}
