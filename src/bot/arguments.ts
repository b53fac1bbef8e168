import { MintwardenError } from '../domain/errors.ts';

/**
 * What was typed after the verb, sorted by the command's own description. Every value is one that was said,
 * and not empty.
 */
export type Arguments = {
  readonly positionals: ReadonlyMap<string, string>;
  readonly values: ReadonlyMap<string, string>;
  readonly switches: ReadonlySet<string>;
};

/** A required word or value; the parser has made sure of it. */
export function required(map: ReadonlyMap<string, string>, name: string): string {
  const value = map.get(name);
  if (value === undefined) throw new MintwardenError('internal', `The argument ${name} is missing.`);
  return value;
}
