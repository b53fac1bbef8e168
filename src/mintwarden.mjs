#!/usr/bin/env node
// Plain JavaScript, so that a Node too old for the rest can still say so.
const NEEDED = 24;
const [major = 0] = process.versions.node.split('.').map(Number);
if (major < NEEDED) {
  process.stderr.write(
    `Mintwarden needs Node ${String(NEEDED)} or newer; this is Node ${process.versions.node}.\n` +
      'Install Node 24. Or, in a clone: npm ci (without --omit=dev) brings it along, and this uses it: npm run mintwarden -- COMMAND\n',
  );
  process.exitCode = 1;
} else {
  await import('./main.ts');
}
