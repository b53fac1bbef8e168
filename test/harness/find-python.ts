import { HarnessError } from './harness-error.ts';
import { runCommand } from './run-command.ts';

/** The names under which a usable Python is looked for, best first. */
export const pythonNames = [
  'python3',
  'python3.13',
  'python3.12',
  'python3.11',
  'python3.10',
  'python3.14',
  'python',
] as const;

/**
 * Finds a Python of version 3.10 or newer. Each name is run, not merely looked up: version
 * managers put names on the path that do not work. Throws {@link HarnessError} if there is none.
 */
export async function findPython(names: readonly string[] = pythonNames): Promise<string> {
  const found: string[] = [];
  for (const name of names) {
    const { ok, output } = await runCommand(name, [
      '-c',
      'import sys; print("%d.%d" % sys.version_info[:2])',
    ]);
    const version = ok ? (output.at(-1) ?? '') : '';
    if (isNewEnough(version)) return name;
    if (version !== '') found.push(`${name} is ${version}`);
  }
  const seen = found.length === 0 ? 'no Python was found' : found.join(', ');
  throw new HarnessError(
    `Python 3.10 or newer is needed to run a real Synapse, but ${seen}. ` +
      'Install it (Debian and Ubuntu: "apt install python3 python3-venv"; macOS: "brew install python3") and run this again.',
  );
}

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 3 || (major === 3 && minor >= 10);
}
