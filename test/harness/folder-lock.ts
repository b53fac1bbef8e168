import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HarnessError } from './harness-error.ts';
import { realTime } from '../support/wait.ts';

const pollMs = 200;
/** A lock without an owner's id this old belongs to a process that died between its two steps. */
const namelessStaleMs = 5_000;

/**
 * Holds a lock between processes until disposed: a folder, which only one of them can make.
 * A lock whose owner is gone is taken over. Throws {@link HarnessError} after `timeoutMs`.
 */
export async function lockFolder(
  path: string,
  options: { timeoutMs: number; onWait?: () => void },
): Promise<AsyncDisposable> {
  const deadline = Date.now() + options.timeoutMs;
  let told = false;
  while (!(await tryMake(path))) {
    if (await isStale(path)) {
      await discard(path);
      continue;
    }
    if (!told) options.onWait?.();
    told = true;
    if (Date.now() > deadline) {
      throw new HarnessError(
        `Another process has held ${path} for too long. If none is running, remove that folder and try again.`,
      );
    }
    await realTime(pollMs);
  }
  return { [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

async function tryMake(path: string): Promise<boolean> {
  try {
    await mkdir(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  await writeFile(join(path, 'pid'), String(process.pid));
  return true;
}

async function isStale(path: string): Promise<boolean> {
  const owner = Number(await readFile(join(path, 'pid'), 'utf8').catch(() => '0'));
  if (owner > 0) return !isRunning(owner);
  const made = await stat(path).catch(() => undefined);
  return made !== undefined && Date.now() - made.mtimeMs > namelessStaleMs;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** By renaming, which only one of several that found it stale can do. */
async function discard(path: string): Promise<void> {
  const aside = `${path}.stale.${String(process.pid)}.${String(Date.now())}`;
  const moved = await rename(path, aside).then(
    () => true,
    () => false,
  );
  if (moved) await rm(aside, { recursive: true, force: true });
}
