import type { z } from 'zod';
import { closest } from './closest.ts';
import { isSecretKey, KEYS } from './keys.ts';

/** One thing wrong with the configuration: which key, and a sentence that begins with the key. */
export type Problem = { readonly path: readonly PropertyKey[]; readonly sentence: string };

/** A schema's complaint in words: the key, what was found, what is allowed, the closest name. */
export function explainIssue(issue: z.core.$ZodIssue, value: unknown): readonly Problem[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: [...issue.path, key],
      sentence: unknownKey(issue.path.map(String), key),
    }));
  }
  const name = issue.path.length === 0 ? 'The file' : issue.path.map(String).join('.');
  const found = at(value, issue.path);
  if (found === undefined)
    return [{ path: issue.path, sentence: `${name} is missing.${example(issue.path)}` }];
  const shown = isSecretKey(issue.path) ? 'set' : show(found);
  const what =
    issue.code === 'invalid_type' && !issue.message.startsWith('is ')
      ? `which is ${typeName(found)} where ${expectedName(issue.expected)} belongs`
      : `which ${issue.message}`;
  const near =
    issue.code === 'invalid_value' && typeof found === 'string'
      ? closest(found, issue.values.map(String))
      : null;
  const hint = near === null ? '' : ` Did you mean ${near}?`;
  const allowed =
    issue.code === 'invalid_value'
      ? ` Allowed: ${issue.values.map(String).join(', ')}.`
      : example(issue.path);
  return [{ path: issue.path, sentence: `${name} is ${shown}, ${what}.${hint}${allowed}` }];
}

function unknownKey(parent: readonly string[], key: string): string {
  const siblings = new Set(
    KEYS.filter(({ path }) => parent.every((part, index) => path[index] === part)).map(
      ({ path }) => path[parent.length] ?? '',
    ),
  );
  const elsewhere = KEYS.filter(({ path }) => path.at(-1) === key).map(({ path }) => path.join('.'));
  const nearby = closest(key, [...siblings]);
  const near = nearby === null ? elsewhere[0] : [...parent, nearby].join('.');
  const hint =
    near === undefined
      ? siblings.size === 0
        ? ''
        : ` Here belong: ${[...siblings].join(', ')}.`
      : ` Did you mean ${near}?`;
  return `${[...parent, key].join('.')} is no key of the configuration.${hint}`;
}

function example(path: readonly PropertyKey[]): string {
  const names = path.filter((part) => typeof part === 'string');
  const key = KEYS.find((candidate) => candidate.path.join('.') === names.join('.'));
  if (key === undefined) return '';
  const value: unknown =
    path.length > names.length && Array.isArray(key.example) ? key.example[0] : key.example;
  return ` Write for example: ${typeof value === 'string' ? value : JSON.stringify(value)}`;
}

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce(
    (node: unknown, part) =>
      typeof node === 'object' && node !== null ? Reflect.get(node, part) : undefined,
    value,
  );
}

function show(value: unknown): string {
  const text = typeof value === 'string' ? `"${value}"` : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

function typeName(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return (
    { string: 'a text', number: 'a number', boolean: 'true or false' }[typeof value as string] ??
    'a section with keys'
  );
}

function expectedName(expected: string): string {
  const names: Record<string, string> = {
    string: 'a text',
    number: 'a number',
    boolean: 'true or false',
    array: 'a list',
    object: 'a section with keys',
    record: 'a section with keys',
  };
  return names[expected] ?? expected;
}
