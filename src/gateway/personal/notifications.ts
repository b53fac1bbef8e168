import { parseEventId } from '../../domain/ids.ts';
import { type GatewayResponse, invalid, isResponse, ok } from '../http/response.ts';
import type { Call, UpstreamRequest } from '../http/call.ts';
import type { MultiStep } from '../upstream/tools.ts';
import {
  roomIdsInNotifications,
  roomIdsInThreadSubscriptions,
  filterNotifications,
  filterThreadSubscriptions,
} from '../filters/notifications.ts';
import { isObject, type JsonObject, requireObject } from '../filters/json-shape.ts';
import { readViewOf } from '../filters/read-view.ts';
import { pathOf } from '../rewrite/path.ts';
import { token } from '../rewrite/query-rules.ts';
import { requireEventsInRoom } from './events-in-room.ts';
import type { RoomId } from '../../domain/ids.ts';

const NOTIFICATIONS = '/_matrix/client/v3/notifications';
const SUBSCRIPTIONS = '/_matrix/client/unstable/io.element.msc4308/thread_subscriptions';
const SUBSCRIPTION = '/_matrix/client/unstable/io.element.msc4306/rooms/{roomId}/thread/{root}/subscription';
const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 100;
/** After so many pages the holder goes on by themselves, from the token. */
const MAX_PAGES = 10;

/**
 * Reads a request for notifications. Pages are asked for until there are as many of rooms in scope as were
 * wanted, so that a gap does not tell how many there are elsewhere.
 */
export function notificationsSteps(call: Call): MultiStep | GatewayResponse {
  const { query } = call;
  const limit = limitOf(query.get('limit'));
  const from = query.get('from') ?? null;
  const only = query.get('only');
  if (limit === null) return invalid('limit');
  if (from !== null && token(from, call) === null) return invalid('from');
  if (only !== undefined && only !== 'highlight') return invalid('only');
  return async (tools) => {
    const shown: JsonObject[] = [];
    let next = from;
    for (let page = 0; page < MAX_PAGES; page++) {
      const asked = await tools.ask(
        pageOf(NOTIFICATIONS, { from: next, limit: String(limit - shown.length), only: only ?? null }),
        false,
      );
      if (isResponse(asked)) return asked;
      const rooms = await tools.roomsInScope(roomIdsInNotifications(asked.got));
      shown.push(...filterNotifications(asked.got, rooms, readViewOf(call.access)));
      const after = tokenIn(asked.got, 'next_token', call);
      // A page that leads to itself would be asked for again and again.
      next = after === next ? null : after;
      if (next === null || shown.length >= limit) break;
    }
    return ok({ notifications: shown, ...(next === null ? {} : { next_token: next }) });
  };
}

/**
 * Reads a request for one thread's subscription (MSC4306). The thread's first event is looked up in that
 * room.
 */
export function threadSubscriptionSteps({ params }: Call): MultiStep | GatewayResponse {
  const root = parseEventId(params['threadRootId'] ?? '');
  const roomId = (params['roomId'] ?? '') as RoomId;
  if (root === null) return invalid('threadRootId');
  return async (tools) => {
    const refused = await requireEventsInRoom(tools, roomId, [root]);
    if (refused !== null) return refused;
    const asked = await tools.ask(
      { method: 'GET', path: pathOf(SUBSCRIPTION, { roomId, root }), query: [] },
      true,
    );
    if (isResponse(asked)) return asked;
    const { automatic } = requireObject(asked.got, 'subscription');
    return ok({ automatic: automatic === true });
  };
}

/** Reads a request for the changes of thread subscriptions (MSC4308), those of rooms in scope. */
export function threadSubscriptionsSteps(call: Call): MultiStep | GatewayResponse {
  const { query } = call;
  const limit = limitOf(query.get('limit'));
  const tokens = { from: query.get('from') ?? null, to: query.get('to') ?? null };
  const dir = query.get('dir') ?? 'b';
  if (limit === null) return invalid('limit');
  if (dir !== 'b') return invalid('dir');
  for (const [name, value] of Object.entries(tokens))
    if (value !== null && token(value, call) === null) return invalid(name);
  return async (tools) => {
    let next = tokens.from;
    for (let page = 0; ; page++) {
      const asked = await tools.ask(
        pageOf(SUBSCRIPTIONS, { dir, from: next, to: tokens.to, limit: String(limit) }),
        false,
      );
      if (isResponse(asked)) return asked;
      const rooms = await tools.roomsInScope(roomIdsInThreadSubscriptions(asked.got));
      const { body, empty } = filterThreadSubscriptions(asked.got, rooms);
      const after = tokenIn(asked.got, 'end', call);
      const last = after === null || after === next;
      if (!empty || last || page + 1 >= MAX_PAGES) return ok({ ...body, ...(last ? {} : { end: after }) });
      next = after;
    }
  };
}

function pageOf(path: string, query: Readonly<Record<string, string | null>>): UpstreamRequest {
  const said = Object.entries(query).flatMap(([name, value]) =>
    value === null ? [] : [[name, value] as const],
  );
  return { method: 'GET', path, query: said };
}

function limitOf(value: string | undefined): number | null {
  if (value === undefined) return DEFAULT_LIMIT;
  return /^\d{1,9}$/.test(value) && Number(value) > 0 ? Math.min(Number(value), MAX_LIMIT) : null;
}

/** The token of a page, where it is one that we would take back. */
function tokenIn(body: unknown, name: string, call: Call): string | null {
  const value = isObject(body) ? body[name] : undefined;
  return typeof value === 'string' ? token(value, call) : null;
}
