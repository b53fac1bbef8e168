import { splitPermission } from '../../domain/permission.ts';
import { patternMeans } from '../../domain/delegable.ts';
import type { Scope } from '../../domain/scope.ts';

/**
 * The types of events that a scope lets be read. What is not one of them is shown nowhere, not inside of
 * another event either.
 */
export type ReadableTypes = {
  /**
   * Every type: `read` without one. What is made of events of many types, or tells of events without their
   * type, is there only then.
   */
  readonly all: boolean;
  /** The types, each perhaps with a `*` at its end. */
  readonly patterns: readonly string[];
  readonly has: (type: string) => boolean;
};

/** For what is looked at and not shown. */
export const ALL_TYPES: ReadableTypes = { all: true, patterns: ['*'], has: () => true };

const known = new WeakMap<Scope['can'], ReadableTypes>();

/** What `read` and `read:TYPE` open; the same object for the same scope. */
export function readableTypesOf({ can }: Pick<Scope, 'can'>): ReadableTypes {
  let types = known.get(can);
  if (types === undefined) known.set(can, (types = readableTypes(can)));
  return types;
}

function readableTypes(can: Scope['can']): ReadableTypes {
  if (can.includes('read')) return ALL_TYPES;
  const patterns = can
    .map(splitPermission)
    .flatMap(({ name, type }) => (name === 'read' && type !== null ? [type] : []));
  return {
    all: false,
    patterns,
    has: (type) => patterns.some((pattern) => patternMeans('read', pattern, type)),
  };
}
