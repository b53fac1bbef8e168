#!/usr/bin/env node
// Plain JavaScript, so that a Node too old for the rest can still say so.
import { existsSync } from 'node:fs';

const NEEDED = [24, 12];
/**
 * Left alone, Node sizes its heap by the machine: on a large one it lets 100 MB and more of garbage lie.
 * These two keep the service below 200 MB; neither is a limit that a large answer could hit.
 */
const THRIFT = ['--max-semi-space-size=4', '--heap-growing-percent=20'];

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < NEEDED[0] || (major === NEEDED[0] && minor < NEEDED[1])) {
  process.stderr.write(
    `Mintwarden needs Node ${NEEDED.join('.')} or newer; this is Node ${process.versions.node}.\n` +
      'Install a newer one. Or, in a clone: npm ci brings it along, and this uses it: npm run mintwarden -- COMMAND\n',
  );
  process.exitCode = 1;
} else {
  // The same process goes on with the flags: its id, its signals and its streams stay.
  const thrifty = process.execArgv.some((flag) => flag.startsWith('--max-semi-space-size'));
  if (process.argv[2] === 'start' && !thrifty && process.platform !== 'win32') {
    process.execve?.(
      process.execPath,
      [process.execPath, ...THRIFT, ...process.execArgv, ...process.argv.slice(1)],
      process.env,
    );
  }
  // A clone runs its source. A package has none, since Node strips no types inside node_modules.
  const source = new URL('main.ts', import.meta.url);
  await import((existsSync(source) ? source : new URL('../dist/main.js', import.meta.url)).href);
}
