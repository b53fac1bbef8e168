import type { Check } from './check.ts';
import { CHECKS } from './checks.ts';

/** Where the table stands in `docs/doctor.md`. */
export const TABLE_BEGINS = '<!-- What follows is made by `npm run docs`. -->';

/** The checks as a table in Markdown. */
export function checksInMarkdown(): string {
  const rows = Object.entries<Check>(CHECKS).map(
    ([id, { what, why, fix }]) => `| \`${id}\` | ${what} | ${why} | ${fix} |`,
  );
  return (
    [
      '| check | what is checked | why it matters | how to fix it |',
      '| --- | --- | --- | --- |',
      ...rows,
    ].join('\n') + '\n'
  );
}
