import { type GatewayResponse, invalid } from '../http/response.ts';
import type { Call } from '../http/call.ts';
import { isObject, type JsonObject } from '../filters/json-shape.ts';
import { token } from '../rewrite/query-rules.ts';

const MAX_LISTS = 20;
const MAX_RANGES = 20;
const MAX_PLACE = 99_999;
const MAX_TIMELINE = 100;
const MAX_STATE = 200;
const MAX_SUBSCRIPTIONS = 500;
/** A name of the holder's own, for a list or a connection. */
const NAME = /^[A-Za-z0-9._:-]{1,64}$/;
const STATE_WORD = /^[^\p{C}]{0,255}$/u;

/** What is wanted of a room. `state`: pairs of type and key, `*`, `$LAZY` and `$ME` among them. */
export type Wanted = {
  readonly timeline: number;
  readonly state: readonly (readonly [type: string, key: string])[];
};

/**
 * A list, read. `none`: it asks for rooms by what is the subject's own (direct chats, tags), or for invites.
 */
export type SlidingList = {
  readonly name: string;
  readonly ranges: readonly (readonly [first: number, last: number])[];
  readonly wanted: Wanted;
  readonly none: boolean;
};

/** A request for sliding sync, read. */
export type SlidingSyncRequest = {
  readonly pos: string | null;
  readonly timeoutMs: number;
  readonly connection: string | null;
  readonly lists: readonly SlidingList[];
  readonly subscriptions: readonly (readonly [roomId: string, wanted: Wanted])[];
};

/**
 * Reads a request for simplified sliding sync (MSC4186). Extensions are dropped: receipts, typing, account
 * data, to-device messages and keys are not the room's. Of filters only what asks for the subject's own is
 * looked at; the others would narrow a view that is within the scope anyway, and are dropped too.
 */
export function parseSlidingSyncRequest(call: Call): SlidingSyncRequest | GatewayResponse {
  const { query, body } = call;
  const pos = query.get('pos') ?? null;
  if (pos !== null && token(pos, call) === null) return invalid('pos');
  const timeout = query.get('timeout') ?? '0';
  if (!/^\d{1,12}$/.test(timeout)) return invalid('timeout');
  if (!isObject(body)) return invalid('body');
  const connection = body['conn_id'] ?? null;
  if (connection !== null && (typeof connection !== 'string' || !NAME.test(connection)))
    return invalid('conn_id');
  const lists = entries(body['lists'], MAX_LISTS)?.map(([name, list]) => listOf(name, list));
  if (lists === undefined || lists.includes(null)) return invalid('lists');
  // They are asked for in every room: all lists together, since one room may be in all.
  if (lists.reduce((sum, list) => sum + (list?.wanted.state.length ?? 0), 0) > MAX_STATE)
    return invalid('lists');
  const subscriptions = entries(body['room_subscriptions'], MAX_SUBSCRIPTIONS)?.map(
    ([room, value]) => [room, wantedOf(value)] as const,
  );
  if (subscriptions === undefined || subscriptions.some(([, wanted]) => wanted === null))
    return invalid('room_subscriptions');
  return {
    pos,
    timeoutMs: Number(timeout),
    connection,
    lists: lists as readonly SlidingList[],
    subscriptions: subscriptions as readonly (readonly [string, Wanted])[],
  };
}

function entries(value: unknown, most: number): readonly (readonly [string, JsonObject])[] | undefined {
  if (value === undefined || value === null) return [];
  if (!isObject(value)) return undefined;
  const all = Object.entries(value);
  return all.length <= most && all.every(([, one]) => isObject(one))
    ? (all as [string, JsonObject][])
    : undefined;
}

function listOf(name: string, list: JsonObject): SlidingList | null {
  const wanted = wantedOf(list);
  const ranges = rangesOf(list['ranges'] ?? []);
  const filters = list['filters'] ?? {};
  if (wanted === null || ranges === null || !isObject(filters) || !NAME.test(name)) return null;
  return { name, ranges, wanted, none: asksForOwn(filters) };
}

function rangesOf(value: unknown): SlidingList['ranges'] | null {
  if (!Array.isArray(value) || value.length > MAX_RANGES) return null;
  const isPlace = (place: unknown) =>
    Number.isSafeInteger(place) && (place as number) >= 0 && (place as number) <= MAX_PLACE;
  const right = (value as unknown[]).every(
    (range) => Array.isArray(range) && range.length === 2 && range.every(isPlace) && range[0] <= range[1],
  );
  return right ? (value as [number, number][]).map(([first, last]) => [first, last] as const) : null;
}

/** Which rooms are direct chats, and how they are tagged, is account data: to a holder there are none. */
function asksForOwn(filters: JsonObject): boolean {
  const tags = filters['tags'];
  return (
    filters['is_dm'] === true || filters['is_invite'] === true || (Array.isArray(tags) && tags.length > 0)
  );
}

function wantedOf(value: JsonObject): Wanted | null {
  const timeline = value['timeline_limit'] ?? 0;
  const state = value['required_state'] ?? [];
  if (typeof timeline !== 'number' || !Number.isSafeInteger(timeline) || timeline < 0) return null;
  if (!Array.isArray(state) || state.length > MAX_STATE) return null;
  const isWord = (word: unknown) => typeof word === 'string' && STATE_WORD.test(word);
  if (!(state as unknown[]).every((pair) => Array.isArray(pair) && pair.length === 2 && pair.every(isWord)))
    return null;
  return {
    timeline: Math.min(timeline, MAX_TIMELINE),
    state: (state as [string, string][]).map(([type, key]) => [type, key] as const),
  };
}
