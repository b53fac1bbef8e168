import { z } from 'zod';
import { fileSchema } from './schema.ts';

/** The JSON Schema of the configuration file, for editors: the text of `config/bot.schema.json`. */
export function jsonSchema(): string {
  const schema = z.toJSONSchema(fileSchema, { io: 'input', unrepresentable: 'any' });
  return `${JSON.stringify({ ...schema, title: 'Mintwarden configuration' }, null, 2)}\n`;
}
