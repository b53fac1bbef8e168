import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { HarnessError } from './harness-error.ts';

const callTimeoutMs = 30_000;
const endTimeoutMs = 2_000;

/** A child that answers calls and tells of events, one JSON object a line. */
export interface JsonLinesProcess {
  pid: number;
  /** Asks it and waits for the answer. Throws {@link HarnessError} with its own words if it refuses. */
  call: (method: string, params?: unknown) => Promise<unknown>;
  /** Closes its stdin, which it takes as the wish to end; kills it if it does not. */
  end: () => Promise<void>;
}

type Answer = { id: number; result?: unknown; error?: string } | { event: string; data: unknown };

/** Starts the child. `onEvent` is called for each event it tells of. It ends when this process does. */
export function startJsonLinesProcess(options: {
  /** What it is called in errors. */
  name: string;
  command: string;
  args: readonly string[];
  onEvent: (event: string, data: unknown) => void;
}): JsonLinesProcess {
  const child = spawn(options.command, options.args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  const complaints: string[] = [];
  let lastId = 0;
  let over = false;

  const ended = new Promise<void>((resolve) => {
    const finish = (): void => {
      over = true;
      for (const call of waiting.values()) call.reject(gone(options.name, complaints));
      waiting.clear();
      resolve();
    };
    child.on('error', finish);
    child.on('close', finish);
  });
  child.stdin.on('error', () => undefined);
  createInterface({ input: child.stderr }).on('line', (line) => {
    complaints.push(line);
    if (complaints.length > 40) complaints.shift();
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    const answer = JSON.parse(line) as Answer;
    if ('event' in answer) {
      options.onEvent(answer.event, answer.data);
      return;
    }
    const call = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (answer.error === undefined) call?.resolve(answer.result);
    else call?.reject(new HarnessError(`${options.name}: ${answer.error}`));
  });
  const killWithUs = (): void => {
    child.kill('SIGKILL');
  };
  process.once('exit', killWithUs);
  void ended.then(() => process.off('exit', killWithUs));

  return {
    pid: child.pid ?? 0,
    call: async (method, params = {}) => {
      if (over) throw gone(options.name, complaints);
      const id = ++lastId;
      const call = Promise.withResolvers<unknown>();
      waiting.set(id, call);
      child.stdin.write(`${JSON.stringify({ id, method, params })}\n`);
      const timer = setTimeout(() => {
        waiting.delete(id);
        call.reject(
          new HarnessError(
            `${options.name} did not answer "${method}" within ${String(callTimeoutMs / 1000)} s.`,
          ),
        );
      }, callTimeoutMs);
      try {
        return await call.promise;
      } finally {
        clearTimeout(timer);
      }
    },
    end: async () => {
      child.stdin.end();
      const late = setTimeout(() => child.kill('SIGKILL'), endTimeoutMs);
      await ended;
      clearTimeout(late);
    },
  };
}

function gone(name: string, complaints: readonly string[]): HarnessError {
  return new HarnessError(`${name} has ended. Its last words:\n${complaints.slice(-15).join('\n')}`);
}
