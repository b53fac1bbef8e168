import type { Access } from '../../lifecycle/access/access-control.ts';
import type { JsonObject } from '../../domain/json.ts';
import type { GatewayResponse } from './response.ts';

/** The methods that endpoints have. */
export type Method = 'GET' | 'PUT' | 'POST' | 'DELETE';

/** One request, read: what an endpoint's functions are given. */
export type Call = {
  /** The path's parameters, decoded once. */
  readonly params: Readonly<Record<string, string>>;
  /** The query, as it came: names outside an endpoint's `query` are never looked at. */
  readonly query: ReadonlyMap<string, string>;
  /** The body, where the endpoint has `body`. */
  readonly body: unknown;
  readonly access: Access;
  readonly now: number;
};

/**
 * Reads one parameter of a query and rewrites it for the homeserver. Null: it is not understood. A response says
 * what is wrong with it.
 */
export type QueryRule = (value: string, call: Call) => string | GatewayResponse | null;

/** One that has nothing more to say where it is not understood. */
export type PlainRule = (value: string, call: Call) => string | null;

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
 * `writes`: what other people see, kept below the subject's own rate limit at the homeserver. `personal`: the
 * subject's own data and short-lived signs (typing, receipts, tags), and what makes the homeserver ask another
 * server.
 */
export type RateClass = 'writes' | 'personal';
