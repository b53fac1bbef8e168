import type { SQLInputValue, SQLOutputValue } from 'node:sqlite';
import { MintwardenError } from '../../../domain/errors.ts';

/** A row as SQLite gives it. */
export type StoredRow = Readonly<Record<string, SQLOutputValue>>;
/** A row as SQLite takes it, by column. */
export type Columns = Readonly<Record<string, SQLInputValue>> & {
  readonly id: string;
  readonly revision: number;
};

/** What makes a row one that is not understood. Named by table and id, never by content. */
export function undecodableRow(table: string, id: string, cause?: unknown): MintwardenError {
  return new MintwardenError(
    'state',
    `The row ${id} of the ledger's ${table} cannot be understood by this version.`,
    'Start the version that wrote it, or restore the state folder from a backup.',
    { cause },
  );
}

/** The text of a column that must hold one of a closed set. */
export function oneOf<T extends string>(set: readonly T[], value: SQLOutputValue | undefined): T {
  const found = set.find((member) => member === value);
  if (found === undefined) throw new RangeError('not in the set');
  return found;
}

/** `oneOf`, or null. */
export function oneOfOrNull<T extends string>(
  set: readonly T[],
  value: SQLOutputValue | undefined,
): T | null {
  return value === null ? null : oneOf(set, value);
}

/** The JSON object in a column, whose `kind` must be one of a closed set. */
export function kindOf<T extends { readonly kind: string }>(
  kinds: readonly T['kind'][],
  value: SQLOutputValue | undefined,
): T {
  const parsed: unknown = JSON.parse(value as string);
  if (typeof parsed !== 'object' || parsed === null || !('kind' in parsed)) throw new TypeError('no kind');
  oneOf(kinds, parsed.kind as string);
  return parsed as T;
}
