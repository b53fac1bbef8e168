import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checksInMarkdown, TABLE_BEGINS } from './checks-table.ts';

// Run after a change of the checks: npm run docs
const path = join(import.meta.dirname, '../../../docs/doctor.md');
const [prose = ''] = (await readFile(path, 'utf8')).split(TABLE_BEGINS);
await writeFile(path, `${prose}${TABLE_BEGINS}\n\n${checksInMarkdown()}`);
