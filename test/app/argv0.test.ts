import { expect, test } from 'vitest';
import { argv0 } from '../../src/app/command-line/argv0.ts';

test.each([
  ['/opt/mw/src/mintwarden.mjs', '/opt/mw', undefined, 'node src/mintwarden.mjs'],
  ['/opt/mw/src/mintwarden.mjs', '/home/you', undefined, 'node /opt/mw/src/mintwarden.mjs'],
  ['/opt/mw/src/mintwarden.mjs', '/opt/mw', 'mintwarden', 'npm run mintwarden --'],
  ['/home/you/.npm/_npx/1/node_modules/.bin/mintwarden', '/opt/mw', 'npx', 'npx mintwarden'],
  ['/usr/local/bin/mintwarden', '/', undefined, 'mintwarden'],
])('%s from %s (npm: %s) is called as %s', (script, folder, npmScript, said) => {
  expect(argv0({ script, folder, npmScript })).toBe(said);
});
