import { unreachable } from '../domain/errors.ts';
import { closest } from './closest.ts';
import { KEYS, type Key } from './keys.ts';

/** Variables of ours that are no keys of the file. */
const OTHER_VARIABLES = ['MINTWARDEN_CONFIG', 'MINTWARDEN_ADMIN_TOKEN', 'MINTWARDEN_ADMIN_TOKEN_FILE'];

/** The variable that overrides a key: `gateway.public_url` is `MINTWARDEN_GATEWAY_PUBLIC_URL`. */
export function variableName(path: readonly string[]): string {
  return `MINTWARDEN_${path.join('_').toUpperCase()}`;
}

/** A key's value from the environment. An empty variable counts as not set. */
export type Override = { readonly key: Key; readonly variable: string; readonly value: unknown };

/**
 * What the environment sets. Lists are separated by commas. A variable that begins with `MINTWARDEN_`
 * and means nothing is a problem: it was meant to change something.
 */
export function readOverrides(env: Readonly<Record<string, string | undefined>>): {
  readonly overrides: readonly Override[];
  readonly problems: readonly string[];
} {
  const known = new Map(KEYS.map((key) => [variableName(key.path), key]));
  const overrides: Override[] = [];
  const problems: string[] = [];
  for (const [variable, text] of Object.entries(env)) {
    if (
      !variable.startsWith('MINTWARDEN_') ||
      OTHER_VARIABLES.includes(variable) ||
      text === undefined ||
      text === ''
    )
      continue;
    const key = known.get(variable);
    if (key !== undefined) overrides.push({ key, variable, value: parseValue(key, text) });
    else {
      const near = closest(variable, [...known.keys(), ...OTHER_VARIABLES]);
      problems.push(
        `The environment variable ${variable} means nothing.${near === null ? '' : ` Did you mean ${near}?`}`,
      );
    }
  }
  return { overrides, problems };
}

/** What cannot be read as the key's type stays a text: the schema then says what is wrong with it. */
function parseValue(key: Key, text: string): unknown {
  switch (key.valueKind) {
    case 'list':
      return text
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== '');
    case 'number':
      return /^\d{1,15}(?:\.\d{1,6})?$/.test(text) ? Number(text) : text;
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text;
    case 'text':
    case 'section':
      return text;
    default:
      return unreachable(key.valueKind);
  }
}
