import { basename, dirname, resolve } from 'node:path';
import { stringify } from 'yaml';
import { variableName } from './environment.ts';
import type { ConfigSource } from './source.ts';
import { isSecretKey, type Key, KEYS } from './keys.ts';
import { spellNumber } from './value-types.ts';

/** One key of the configuration as it counts, and where its value came from. */
export type Setting = {
  /** As in `gateway.public_url`. */
  readonly key: string;
  /** As it could be written: durations as text, paths absolute. Null: a secret, which is not shown. */
  readonly value: unknown;
  /** `bot.yaml:12`, `$MINTWARDEN_…`, or `default`. */
  readonly from: string;
};

/** Every key that has a value. No secret is in it. */
export function effectiveSettings(written: ConfigSource): readonly Setting[] {
  return KEYS.flatMap((key): Setting[] => {
    const given = at(written.value, key.path);
    const value = given === undefined ? at(written.content, key.path) : given;
    if (value === undefined) return [];
    const shown = isSecretKey(key.path) ? null : toWritten(key, value, dirname(written.file));
    return [
      {
        key: key.path.join('.'),
        value: shown,
        from: given === undefined ? 'default' : originOf(written, key),
      },
    ];
  });
}

/** The same as YAML that could be used in the file's place, each line saying where it came from. */
export function settingsToYaml(entries: readonly Setting[]): string {
  const lines: string[] = [];
  let above: readonly string[] = [];
  for (const { key, value, from } of entries) {
    const parts = key.split('.');
    const sections = parts.slice(0, -1);
    const same = sections.findIndex((part, index) => above[index] !== part);
    if (same !== -1)
      sections.slice(same).forEach((part, index) => lines.push(`${'  '.repeat(same + index)}${part}:`));
    above = sections;
    const indent = '  '.repeat(sections.length);
    const name = parts.at(-1) ?? '';
    lines.push(
      `${indent}${value === null ? `# ${name}: is set and not shown` : inOneLine(name, value)}  # ${from}`,
    );
  }
  return `${lines.join('\n')}\n`;
}

function inOneLine(name: string, value: unknown): string {
  return `${name}: ${stringify(value, { lineWidth: 0, collectionStyle: 'flow', flowCollectionPadding: false, blockQuote: false }).trimEnd()}`;
}

function originOf({ overrides, yaml, file }: ConfigSource, key: Key): string {
  if (overrides.some((override) => override.key === key)) return `$${variableName(key.path)}`;
  const line = yaml.lineOf(key.path);
  return line === null ? basename(file) : `${basename(file)}:${String(line)}`;
}

function toWritten({ path, example }: Key, value: unknown, folder: string): unknown {
  if (typeof value === 'number' && typeof example === 'string') return spellNumber(value, example);
  const isPath = typeof value === 'string' && /_(?:file|dir)$/.test(path.at(-1) ?? '');
  return isPath ? resolve(folder, value) : value;
}

function at(value: unknown, path: readonly string[]): unknown {
  return path.reduce(
    (node: unknown, part) =>
      typeof node === 'object' && node !== null ? Reflect.get(node, part) : undefined,
    value,
  );
}
