import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { REFERENCE_MARKER, referenceInMarkdown } from './reference.ts';

// Run after a change of the schema: npm run docs
const path = join(import.meta.dirname, '../../docs/configuration.md');
const [prose = ''] = (await readFile(path, 'utf8')).split(REFERENCE_MARKER);
await writeFile(path, `${prose}${REFERENCE_MARKER}\n\n${referenceInMarkdown()}`);
