import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { findPython } from './find-python.ts';
import { HarnessError } from './harness-error.ts';

/**
 * What a person does: waits until this stands on the screen, then types. Enter is `\r`, Ctrl-C `\u0003`,
 * Ctrl-D `\u0004`.
 */
export interface TerminalStep {
  until: string;
  type: string;
}

/** How it went: everything that stood on the screen, echo included. A negative status is a signal. */
export interface TerminalResult {
  status: number;
  screen: string;
}

/**
 * Runs this Node with these words at a real pseudo-terminal (Python's `pty`), and types as `steps` say.
 * Throws `HarnessError` with the screen if one of them was waited for in vain.
 */
export async function atTerminal(
  args: readonly string[],
  steps: readonly TerminalStep[],
  options: { cwd: string; env?: Readonly<Record<string, string>>; timeoutS?: number },
): Promise<TerminalResult> {
  const python = await findPython();
  const child = spawn(python, [join(import.meta.dirname, 'terminal_session.py')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(
    JSON.stringify({
      argv: [process.execPath, ...args],
      env: { PATH: process.env['PATH'] ?? '', TERM: 'xterm', ...options.env },
      cwd: options.cwd,
      steps,
      timeoutS: options.timeoutS ?? 60,
    }),
  );
  const answer = await text(child.stdout);
  const { status, output, missed } = JSON.parse(answer) as {
    status: number;
    output: string;
    missed: string | null;
  };
  if (missed !== null)
    throw new HarnessError(`The terminal never showed ${JSON.stringify(missed)}:\n${output}`);
  return { status, screen: output };
}
