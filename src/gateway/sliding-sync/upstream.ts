import type { Grant } from '../../domain/grant.ts';
import type { RoomId } from '../../domain/ids.ts';
import { compareText } from '../../domain/wildcard.ts';
import type { UpstreamRequest } from '../http/call.ts';
import { readableTypesOf } from '../filters/readable-types.ts';
import type { JsonObject } from '../filters/json-shape.ts';
import type { SlidingSyncRequest, SlidingList, Wanted } from './request.ts';

const PATH = '/_matrix/client/unstable/org.matrix.simplified_msc3575/sync';

/**
 * The rooms in scope in the order in which lists count them: by id. The homeserver's own order, by what
 * happened last in all of the subject's rooms, would let places and counts tell of rooms outside.
 */
function inOrder(rooms: ReadonlySet<RoomId>): readonly RoomId[] {
  return [...rooms].toSorted(compareText);
}

/**
 * What the homeserver is asked: no lists at all, since it would fill and count them with every room of the
 * subject, but a subscription to each room in scope that a list or the holder's own subscription means.
 * The connection's name is the grant's, so that two grants of one device never share one. State of types that
 * are not read is not asked for.
 */
export function slidingRequest(
  sliding: SlidingSyncRequest,
  { id: grantId, scope }: Pick<Grant, 'id' | 'scope'>,
  rooms: ReadonlySet<RoomId>,
  pos: string | null,
  timeoutMs: number,
): UpstreamRequest {
  const readable = readableTypesOf(scope);
  const wanted = wantedByLists(sliding.lists, inOrder(rooms));
  for (const [name, more] of sliding.subscriptions) {
    const room = name as RoomId;
    if (rooms.has(room)) wanted.set(room, together(wanted.get(room), more));
  }
  const subscriptions = [...wanted].map(([room, { timeline, state }]) => [
    room,
    {
      timeline_limit: timeline,
      required_state: state.filter(([type]) => type === '*' || readable.has(type)),
    },
  ]);
  const query: [string, string][] = [
    ['timeout', String(timeoutMs)],
    ['set_presence', 'offline'],
  ];
  if (pos !== null) query.push(['pos', pos]);
  return {
    method: 'POST',
    path: PATH,
    query,
    body: {
      conn_id: `${grantId}.${sliding.connection ?? ''}`,
      lists: {},
      room_subscriptions: Object.fromEntries(subscriptions),
    },
  };
}

/** The holder's lists, made here: the rooms in scope, how many there are, and who stands where. */
export function slidingLists({ lists }: SlidingSyncRequest, rooms: ReadonlySet<RoomId>): JsonObject {
  const order = inOrder(rooms);
  const one = (list: SlidingList) => {
    const all = list.none ? [] : order;
    const ops = list.ranges.map(([first, last]) => ({
      op: 'SYNC',
      range: [first, last],
      room_ids: all.slice(first, last + 1),
    }));
    return [list.name, { count: all.length, ops }];
  };
  return Object.fromEntries(lists.map(one));
}

/**
 * What lists want of each room. Rooms that are in the same lists share it: put together for each of
 * thousands, it would take seconds.
 */
function wantedByLists(lists: readonly SlidingList[], order: readonly RoomId[]): Map<RoomId, Wanted> {
  const alike = new Map<string, Wanted>();
  const which = new Map<RoomId, string>();
  for (const [at, list] of lists.entries()) {
    for (const room of within(list, order)) {
      const before = which.get(room) ?? '';
      const now = `${before} ${at}`;
      which.set(room, now);
      if (!alike.has(now)) alike.set(now, together(alike.get(before), list.wanted));
    }
  }
  return new Map(
    [...which].flatMap(([room, lists]): [RoomId, Wanted][] => {
      const one = alike.get(lists);
      return one === undefined ? [] : [[room, one]];
    }),
  );
}

function within(list: SlidingList, order: readonly RoomId[]): readonly RoomId[] {
  if (list.none) return [];
  return order.filter((_, place) => list.ranges.some(([first, last]) => place >= first && place <= last));
}

function together(a: Wanted | undefined, b: Wanted): Wanted {
  if (a === undefined) return b;
  const state = new Map([...a.state, ...b.state].map((pair) => [JSON.stringify(pair), pair]));
  return { timeline: Math.max(a.timeline, b.timeline), state: [...state.values()] };
}
