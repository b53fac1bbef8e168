import type { Access } from '../../lifecycle/access/access-control.ts';
import type { JsonObject } from '../../domain/json.ts';

/** The methods lines have. */
export type Method = 'GET' | 'PUT' | 'POST' | 'DELETE';

/** One request, read: what the functions of a line are given. */
export type Call = {
  /** The path's parameters, decoded once. */
  readonly params: Readonly<Record<string, string>>;
  /** The query, as it came: names outside a line's allow-list are never looked at. */
  readonly query: ReadonlyMap<string, string>;
  /** The body, where the line has `body: 'json'`. */
  readonly body: unknown;
  readonly access: Access;
  readonly now: number;
};

/** Reads one parameter of a query and writes it anew for the homeserver. Null: it is not understood. */
export type QueryRule = (value: string, call: Call) => string | null;

/** A request to the homeserver, built here. `query` is not encoded yet. */
export type UpstreamRequest = {
  readonly method: Method;
  /** Encoded, without query. */
  readonly path: string;
  readonly query: readonly (readonly [name: string, value: string])[];
  /** With POST where that reads (`/search`), with PUT where it writes. */
  readonly body?: JsonObject;
};

/**
 * `writing`: what others are told, below the subject's own rate limit; `tending`: the subject's own
 * bookkeeping and fleeting signs.
 */
export type RateClass = 'writing' | 'tending';
