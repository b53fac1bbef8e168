import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decisionsInMarkdown, TABLE_BEGINS } from './documentation.ts';

// Run after a change of the catalogue: npm run docs
const path = join(import.meta.dirname, '../../../docs/gateway.md');
const [prose = ''] = (await readFile(path, 'utf8')).split(TABLE_BEGINS);
await writeFile(path, `${prose}${TABLE_BEGINS}\n\n${decisionsInMarkdown()}`);
