import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { privateFolder, writePrivate } from '../private-files.ts';

const MAX_LINES = 500;

/**
 * What looks like a token: ours, and the homeserver's kinds. Anything long that is no id we know is taken for
 * one too.
 */
const SECRET =
  /mwt_|sy[rtl]_|m(?:at|ar|ct|cr|pt)_|MDAx[\w+/=-]{16}|(?<![!#$@A-Za-z0-9_-])[A-Za-z0-9_-]{60,}/i;

/** Whether a line may be remembered: none with a token in it is. */
export function isSafeToKeep(line: string): boolean {
  return !SECRET.test(line);
}

/** Where the history is kept (XDG Base Directory, "state"). */
export function historyFile(env: Readonly<Record<string, string | undefined>>): string {
  const state = env['XDG_STATE_HOME'];
  const folder = state !== undefined && isAbsolute(state) ? state : join(homedir(), '.local', 'state');
  return join(folder, 'mintwarden', 'history');
}

/** The lines of earlier times, the oldest first. A history that cannot be read is an empty one. */
export async function loadHistory(file: string | null): Promise<string[]> {
  if (file === null) return [];
  const text = await readFile(file, 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '' && isSafeToKeep(line))
    .slice(-MAX_LINES);
}

/**
 * Keeps the newest lines, for their owner alone (0600). That it could not be written is no reason to stop.
 */
export async function saveHistory(file: string | null, lines: readonly string[]): Promise<void> {
  if (file === null) return;
  const kept = lines
    .filter((line, index) => isSafeToKeep(line) && line !== lines[index + 1])
    .slice(-MAX_LINES);
  try {
    await privateFolder(dirname(file));
    await writePrivate(file, kept.map((line) => `${line.replace(/[\r\n]/g, ' ')}\n`).join(''));
  } catch {
    // The history is a convenience: failing to save it is no error.
  }
}
