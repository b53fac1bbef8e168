import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** How a finished command ended. `output` holds both streams, line by line, in the order they came. */
export interface CommandResult {
  ok: boolean;
  /** The exit status; 127 if it could not be started, 128 if a signal ended it. */
  status: number;
  output: string[];
}

/** Runs a command to its end and never throws: one that cannot be started is a failed one. */
export function runCommand(
  command: string,
  args: readonly string[],
  options: { onLine?: (line: string) => void; cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const output: string[] = [];
    const take = (line: string): void => {
      output.push(line);
      options.onLine?.(line);
    };
    const { cwd, env } = options;
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(cwd && { cwd }),
      ...(env && { env }),
    });
    createInterface({ input: child.stdout }).on('line', take);
    createInterface({ input: child.stderr }).on('line', take);
    child.on('error', (error) => {
      resolve({ ok: false, status: 127, output: [...output, error.message] });
    });
    child.on('close', (code) => {
      resolve({ ok: code === 0, status: code ?? 128, output });
    });
  });
}
