import type { Call, UpstreamRequest } from '../http/call.ts';
import { FILTER_TOO_LONG, type GatewayResponse, invalid, isResponse } from '../http/response.ts';
import { isObject, type JsonObject } from '../filters/json-shape.ts';
import { PRESENCES } from '../filters/presence.ts';
import { readableTypesOf } from '../filters/readable-types.ts';
import { holds, readViewOf } from '../filters/read-view.ts';
import { type Parsed, parseJson } from '../http/json.ts';
import { texts } from '../rewrite/event-filter.ts';
import { isTooLong, token } from '../rewrite/query-rules.ts';
import { storedFilter } from './stored-filter.ts';
import { pushedSyncFilter } from './sync-filter.ts';

const STATE_AFTER = ['use_state_after', 'org.matrix.msc4222.use_state_after'] as const;

/** A `/sync`, read: what the homeserver is asked, once or, while there is no news, again. */
export type SyncRequest = {
  readonly since: string | null;
  /** How long the holder will wait; 0 or more. */
  readonly timeoutMs: number;
  /** Every room is shown, also with nothing in it: a first sync, or one with the full state. */
  readonly whole: boolean;
  readonly filter: string;
  readonly fullState: boolean;
  /** Whether the holder's filter lets create events through, and the scope reads them. */
  readonly wantsCreate: boolean;
  readonly stateAfter: (typeof STATE_AFTER)[number] | null;
  /** What the homeserver is told of the subject's presence. */
  readonly presence: string;
};

/**
 * Reads the query of a `/sync`. What it does not name (`_cacheBuster`) is dropped, and `set_presence` without
 * `presence`.
 */
export function parseSyncRequest(call: Call): SyncRequest | GatewayResponse {
  const { query } = call;
  const since = query.get('since') ?? null;
  if (since !== null && token(since, call) === null) return invalid('since');
  const timeout = query.get('timeout') ?? '0';
  if (!/^\d{1,12}$/.test(timeout)) return invalid('timeout');
  const fullState = flag(query.get('full_state'));
  if (fullState === null) return invalid('full_state');
  let stateAfter: SyncRequest['stateAfter'] = null;
  for (const name of STATE_AFTER) {
    const asked = flag(query.get(name));
    if (asked === null) return invalid(name);
    if (asked) stateAfter ??= name;
  }
  const asked = askedFilter(query.get('filter'));
  if (isResponse(asked)) return asked;
  const filter =
    asked === null ? null : pushedSyncFilter(asked.value, call.access.rooms, readViewOf(call.access));
  if (filter === null) return invalid('filter');
  const pushed = JSON.stringify(filter);
  if (isTooLong(pushed)) return FILTER_TOO_LONG;
  // Not said is not there either: what a program does is not the subject's presence (the specification has it
  // be "online").
  const presence = holds(call.access.grant.scope, 'presence')
    ? (query.get('set_presence') ?? 'offline')
    : 'offline';
  if (!PRESENCES.includes(presence)) return invalid('set_presence');
  return {
    since,
    timeoutMs: Number(timeout),
    whole: since === null || fullState,
    filter: pushed,
    fullState,
    wantsCreate: letsCreateThrough(filter) && readableTypesOf(call.access.grant.scope).has('m.room.create'),
    stateAfter,
    presence,
  };
}

/** What the homeserver is asked: only the parameters of the specification are said. */
export function upstreamSyncRequest(
  poll: SyncRequest,
  since: string | null,
  timeoutMs: number,
  first: boolean,
): UpstreamRequest {
  const query: [string, string][] = [
    ['filter', poll.filter],
    ['set_presence', poll.presence],
    ['timeout', String(timeoutMs)],
  ];
  if (since !== null) query.push(['since', since]);
  if (poll.fullState && first) query.push(['full_state', 'true']);
  if (poll.stateAfter !== null) query.push([poll.stateAfter, 'true']);
  return { method: 'GET', path: '/_matrix/client/v3/sync', query };
}

function flag(value: string | undefined): boolean | null {
  if (value === undefined || value === 'false') return false;
  return value === 'true' ? true : null;
}

/** The holder's filter: none, in the query itself, or under an id of ours. Null: there is no such id. */
function askedFilter(value: string | undefined): Parsed | GatewayResponse | null {
  if (value === undefined || value === '') return NO_FILTER;
  if (value.startsWith('{')) return parseJson(value);
  const stored = storedFilter(value);
  return stored === null ? null : { value: stored };
}

const NO_FILTER: Parsed = { value: {} };

function letsCreateThrough(filter: JsonObject): boolean {
  const state = isObject(filter['room']) && isObject(filter['room']['state']) ? filter['room']['state'] : {};
  const matches = (list: unknown) =>
    texts(list)?.some((type) => type === 'm.room.create' || type.endsWith('*')) === true;
  return (state['types'] === undefined || matches(state['types'])) && !matches(state['not_types']);
}
