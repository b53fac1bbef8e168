import type { Scope } from '../../../../src/domain/scope.ts';
import type { Bounds } from './bounds.ts';

/** The parameters of a row's path, decoded. */
export type Params = Readonly<Record<string, string>>;
/** Whether a value of the query is as it belongs. */
export type Value = (value: string, bounds: Bounds) => boolean;
/** A fault, or null. */
export type Check = (params: Params, bounds: Bounds) => string | null;

/** One request that may reach the homeserver: everything that is in no row may not. */
export type Row = {
  readonly method: string;
  /** `{room}` is a room in scope, `{user}` somebody met there, `{self}` the subject; others are any text. */
  readonly path: string;
  readonly when: (scope: Scope) => boolean;
  readonly query?: Readonly<Record<string, Value>>;
  readonly check?: Check;
  /** The body is not JSON, and of any kind. */
  readonly raw?: true;
  readonly body?: (body: Readonly<Record<string, unknown>>, params: Params, bounds: Bounds) => string | null;
};
