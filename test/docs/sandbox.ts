import { spawn } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HarnessError } from '../harness/harness-error.ts';
import { ROOT } from './blocks.ts';

/** How a block of shell lines ended. */
export interface Ran {
  status: number | null;
  output: string;
}

/** A block that is running. */
export interface Running {
  ended: Promise<Ran>;
  /** Resolves when its output has this text. Throws `HarnessError` if it ends without. */
  seen(text: string): Promise<void>;
  stop(): Promise<void>;
}

/** A folder in which shell lines are run as somebody would who has `mintwarden`, `node` and `python3`. */
export interface Sandbox {
  home: string;
  /** Where the lines of the page are run: a new folder for each. */
  enter(page: string): Promise<string>;
  run(text: string, input: string): Running;
}

/** Makes one. What a block sets (variables, functions) is there in the next ones of its page. */
export async function makeSandbox(
  home: string,
  programs: { python: string; pythonPath: string },
  env: NodeJS.ProcessEnv,
): Promise<Sandbox> {
  const bin = join(home, 'bin');
  await mkdir(bin, { recursive: true, mode: 0o700 });
  await symlink(process.execPath, join(bin, 'node'));
  await script(
    join(bin, 'mintwarden'),
    `exec '${process.execPath}' '${join(ROOT, 'src/mintwarden.mjs')}' "$@"`,
  );
  await script(join(bin, 'python3'), `PYTHONPATH='${programs.pythonPath}' exec '${programs.python}' "$@"`);
  const environment = {
    ...process.env,
    ...env,
    HOME: home,
    PATH: `${bin}:${process.env['PATH'] ?? ''}`,
    npm_config_update_notifier: 'false',
  };
  let cwd = home;
  return {
    home,
    enter: async (page) => {
      cwd = join(home, page.replaceAll(/\W/g, '-'));
      await mkdir(cwd);
      await symlink(join(ROOT, 'node_modules'), join(cwd, 'node_modules'));
      return cwd;
    },
    run: (text, input) => running(text, input, cwd, environment),
  };
}

async function script(path: string, line: string): Promise<void> {
  await writeFile(path, `#!/bin/sh\n${line}\n`, { mode: 0o755 });
}

const KEEP = `trap '{ declare -f; declare -p MWT ROOM MINTWARDEN_CONFIG 2>/dev/null || :; } > .shell' EXIT`;

function running(text: string, input: string, cwd: string, env: NodeJS.ProcessEnv): Running {
  const whole = `set -e -o pipefail\n[ ! -f .shell ] || . ./.shell\n${KEEP}\n${text}`;
  // A group of its own: what npm starts ends with it.
  const child = spawn('bash', ['-c', whole], { cwd, env, stdio: 'pipe', detached: true });
  let output = '';
  let over = false;
  const lookers = new Set<() => void>();
  const take = (chunk: Buffer): void => {
    output += chunk.toString();
    for (const look of lookers) look();
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  child.stdin.on('error', () => undefined).end(input);
  const ended = new Promise<Ran>((resolve) => {
    child.once('close', (status) => {
      over = true;
      resolve({ status, output });
      for (const look of lookers) look();
    });
  });
  return {
    ended,
    seen: (text_) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (output.includes(text_)) resolve();
          else if (over) reject(new HarnessError(`It ended without “${text_}”:\n${output}`));
        };
        lookers.add(look);
        look();
      }),
    stop: async () => {
      if (!over && child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
      await ended;
    },
  };
}
