import { spawn } from 'node:child_process';
import { openSync, closeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HarnessError } from './harness-error.ts';
import { synapseFiles } from './synapse-config.ts';
import { until } from '../support/wait.ts';

const startTimeoutMs = 60_000;
const stopTimeoutMs = 10_000;
const pollMs = 50;

/** A Synapse that answers. */
export interface SynapseProcess {
  pid: number;
  /** Sends the signal and waits for the end; what does not obey SIGTERM within 10 s is killed. */
  end(how: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
}

/** Runs Synapse on a prepared data folder and waits until it answers. It ends when this process does. */
export async function launchSynapse(options: {
  python: string;
  dir: string;
  baseUrl: string;
}): Promise<SynapseProcess> {
  const outputPath = join(options.dir, 'output.log');
  const output = openSync(outputPath, 'a', 0o600);
  const child = spawn(
    options.python,
    [join(import.meta.dirname, 'run_synapse.py'), '-c', synapseFiles.config],
    {
      cwd: options.dir,
      stdio: ['pipe', output, output],
    },
  );
  closeSync(output);
  let over = false;
  const ended = new Promise<void>((resolve) => {
    child.on('error', () => {
      over = true;
      resolve();
    });
    child.on('exit', () => {
      over = true;
      resolve();
    });
  });
  // A write to a pipe whose reader died must not take the tests with it.
  child.stdin?.on('error', () => undefined);
  const killWithUs = (): void => {
    child.kill('SIGKILL');
  };
  process.once('exit', killWithUs);
  void ended.then(() => process.off('exit', killWithUs));

  const end = async (how: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    if (!over) {
      child.kill('SIGCONT');
      child.kill(how);
    }
    const late = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
    await ended;
    clearTimeout(late);
  };

  const isUp = async (): Promise<boolean> => over || (await answers(options.baseUrl));
  await until(isUp, startTimeoutMs, pollMs).catch(() => undefined);
  if (!(await answers(options.baseUrl))) {
    const what = over ? 'ended while starting' : 'did not answer within a minute';
    await end('SIGKILL');
    throw new HarnessError(`Synapse ${what}. The end of its log:\n${await logTail(options.dir)}`);
  }
  return {
    pid: child.pid ?? 0,
    end,
    signal: (signal) => child.kill(signal),
  };
}

async function answers(baseUrl: string): Promise<boolean> {
  try {
    const response = await fetch(`${baseUrl}/_matrix/client/versions`, {
      signal: AbortSignal.timeout(1_000),
    });
    return response.ok;
  } catch {
    return false;
  }
}

async function logTail(dir: string): Promise<string> {
  const texts = await Promise.all(
    ['output.log', synapseFiles.log].map((name) => readFile(join(dir, name), 'utf8').catch(() => '')),
  );
  return texts.flatMap((text) => text.trimEnd().split('\n').slice(-25)).join('\n');
}
