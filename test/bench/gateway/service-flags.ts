import { readFileSync } from 'node:fs';

/** V8's flags as `mintwarden start` has them, which is plain JavaScript without exports. */
export function serviceFlags(): string[] {
  const source = readFileSync(new URL('../../../src/mintwarden.mjs', import.meta.url), 'utf8');
  const list = /^const [A-Z0-9_]+ = \[('--[^\]]*)\];$/m.exec(source)?.[1];
  if (list === undefined) throw new Error('The flags of V8 were not found in src/mintwarden.mjs.');
  return list.split(',').map((flag) => flag.trim().replaceAll("'", ''));
}
