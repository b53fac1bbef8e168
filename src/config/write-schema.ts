import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { jsonSchema } from './json-schema.ts';

// Run after a change of the schema: npm run schema
await writeFile(join(import.meta.dirname, '../../config/bot.schema.json'), jsonSchema());
