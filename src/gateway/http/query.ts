import { ambiguous, type GatewayResponse, TOKEN_IN_ADDRESS } from './response.ts';
import { decodeOnce } from './decode.ts';

/** A query whose names are each there once. */
export type Query = { readonly values: ReadonlyMap<string, string> };

/** Printable ASCII: curl sends JSON as it is. A fragment never travels. */
const RAW = /^[\u0021\u0022\u0024-\u007e]*$/;

/**
 * Lists by the specification ("Joining rooms"), so clients repeat them. They are not even kept: the homeserver would
 * talk to servers of the holder's choice.
 */
const LISTS = new Set(['via', 'server_name', 'org.matrix.msc4156.via']);

const NONE: Query = Object.freeze({ values: new Map() });

/**
 * Reads a query (application/x-www-form-urlencoded). A name given twice is refused, unless it is a list: Synapse
 * takes the first, others the last. A token in here is refused, whatever the rest.
 */
export function parseQuery(raw: string): Query | GatewayResponse {
  if (raw === '') return NONE;
  if (!RAW.test(raw)) return ambiguous('the query has characters that must be encoded');
  const values = new Map<string, string>();
  let fault: GatewayResponse | null = null;
  for (const piece of raw.split('&')) {
    if (piece === '') continue;
    const equals = piece.indexOf('=');
    const name = decodeOnce((equals === -1 ? piece : piece.slice(0, equals)).replaceAll('+', ' '));
    const value = decodeOnce(
      (equals === -1 ? '' : piece.slice(equals + 1)).replaceAll('+', ' '),
      name === 'filter',
    );
    if (name === 'access_token') return TOKEN_IN_ADDRESS;
    if (name === null || value === null) fault ??= ambiguous('the query is not well encoded');
    else if (LISTS.has(name)) continue;
    else if (values.has(name)) fault ??= ambiguous('a parameter is given twice');
    else values.set(name, value);
  }
  return fault ?? { values };
}
