import { variableName } from './environment.ts';
import { type Key, KEYS, SECTIONS } from './keys.ts';
import { spellNumber } from './value-types.ts';

/** Where what is made begins in `docs/configuration.md`. */
export const REFERENCE_MARKER = '<!-- What follows is made by `npm run docs`. -->';

const HEADER = ['key', 'meaning', 'default', 'example', 'variable'];

/** Every key of the configuration, as Markdown: a table for each section of the file. */
export function referenceInMarkdown(): string {
  const sections = Map.groupBy(KEYS, ({ path }) => (path.length === 1 ? '' : (path[0] ?? '')));
  return [...sections]
    .map(([name, keys]) => {
      const title = name === '' ? '## Top-level keys' : `## ${name}\n\n${SECTIONS[name] ?? ''}`;
      const rows = [HEADER, HEADER.map(() => '---'), ...keys.map(rowOf)].map(
        (cells) => `| ${cells.join(' | ')} |`,
      );
      return `${title}\n\n${rows.join('\n')}\n`;
    })
    .join('\n');
}

function rowOf({ path, valueKind, description, example, defaultValue }: Key): string[] {
  const asText =
    typeof defaultValue === 'number' && typeof example === 'string'
      ? spellNumber(defaultValue, example)
      : defaultValue;
  const variable = valueKind === 'section' ? '' : code(variableName(path));
  return [code(path.join('.')), cell(description), code(asText), code(example), variable];
}

function code(value: unknown): string {
  if (value === undefined) return '';
  return `\`${cell(typeof value === 'string' ? value : JSON.stringify(value))}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
