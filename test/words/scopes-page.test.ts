import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { CAPABILITIES, CAPABILITY } from '../../src/domain/capability.ts';
import { formOf } from '../../src/words/capability-form.ts';

it('docs/scopes.md has every capability, as it is', async () => {
  const page = await readFile(join(import.meta.dirname, '../../docs/scopes.md'), 'utf8');
  const rows = page
    .slice(page.indexOf('## Capabilities'), page.indexOf('Never granted'))
    .split('\n')
    .filter((row) => row.startsWith('| `'))
    .map((row) =>
      row
        .split('|')
        .map((cell) => cell.trim())
        .slice(1, -1),
    );
  expect(rows).toEqual(
    CAPABILITIES.map((name) => {
      const { allows, writes, needs } = CAPABILITY[name];
      return [`\`${formOf(name)}\``, allows, writes ? 'yes' : 'no', needs.join(', ')];
    }),
  );
});
