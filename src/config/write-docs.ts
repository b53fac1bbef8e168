import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { REFERENCE_BEGINS, referenceInMarkdown } from './reference.ts';

// Run after a change of the schema: npm run docs
const path = join(import.meta.dirname, '../../docs/configuration.md');
const [prose = ''] = (await readFile(path, 'utf8')).split(REFERENCE_BEGINS);
await writeFile(path, `${prose}${REFERENCE_BEGINS}\n\n${referenceInMarkdown()}`);
