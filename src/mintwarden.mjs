#!/usr/bin/env node
// Plain JavaScript, so that a Node too old for the rest can still say so.
import { existsSync } from 'node:fs';

const NEEDED = [24, 12];
/**
 * By default Node lets young objects take so much room that 100 MB and more of garbage stay resident; and what
 * was once found to live long, when few requests were served, it makes among the old objects ever after, where
 * it keeps others alive. Neither is a limit that a large answer could hit; docs/architecture.md has the figures
 * ("One small process").
 */
const V8_FLAGS = ['--max-semi-space-size=16', '--no-allocation-site-pretenuring'];

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < NEEDED[0] || (major === NEEDED[0] && minor < NEEDED[1])) {
  process.stderr.write(
    `Mintwarden needs Node ${NEEDED.join('.')} or newer; this is Node ${process.versions.node}.\n` +
      'Install a newer one. Or, in a clone: npm ci brings it along, and this uses it: npm run mintwarden -- COMMAND\n',
  );
  process.exitCode = 1;
} else {
  // The same process goes on with the flags: its id, its signals and its streams stay.
  const isRestarted = process.execArgv.some((flag) => flag.startsWith('--max-semi-space-size'));
  if (process.argv[2] === 'start' && !isRestarted && process.platform !== 'win32') {
    process.execve?.(
      process.execPath,
      [process.execPath, ...V8_FLAGS, ...process.execArgv, ...process.argv.slice(1)],
      process.env,
    );
  }
  // A clone runs its source. A package has none, since Node strips no types inside node_modules.
  const source = new URL('main.ts', import.meta.url);
  await import((existsSync(source) ? source : new URL('../dist/main.js', import.meta.url)).href);
}
