import { jsonSchema } from '../../config/index.ts';
import type { CliCommand } from './command.ts';

/** `mintwarden config schema`: for editors that are to complete keys and mark errors. */
export const configSchema: CliCommand = {
  name: 'config schema',
  summary: 'print the JSON Schema of the configuration, for editors',
  usage: '',
  flags: [],
  notes: ['Editors find it by the first line of bot.example.yaml, which names config/bot.schema.json.'],
  run: () => {
    process.stdout.write(jsonSchema());
    return Promise.resolve(0);
  },
};
