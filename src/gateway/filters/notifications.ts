import { parseEventId, type RoomId } from '../../domain/ids.ts';
import { filterEvent } from './event.ts';
import { ALL_TYPES, readableTypesOf } from './readable-types.ts';
import {
  isObject,
  type JsonObject,
  optionalObject,
  requireArray,
  requireObject,
  pick,
  type Shape,
} from './json-shape.ts';
import type { ReadView } from './read-view.ts';

const NOTIFICATION: Shape = { read: 'flag', ts: 'count' };
const SUBSCRIPTION: Shape = { automatic: 'flag', bump_stamp: 'count' };
const SUBSCRIBED = ['subscribed', 'unsubscribed'] as const;

/** The rooms a page of notifications speaks of. */
export function roomIdsInNotifications(body: unknown): string[] {
  const list =
    isObject(body) && Array.isArray(body['notifications']) ? (body['notifications'] as unknown[]) : [];
  return list.flatMap((one) => (isObject(one) && typeof one['room_id'] === 'string' ? [one['room_id']] : []));
}

/**
 * Notifications of rooms in scope: when, and whether they were read. The event is there if the scope reads its
 * type, otherwise nothing of it is: not who sent it, nor what it redacts. The rules of the device that notified
 * are never there.
 */
export function filterNotifications(
  body: unknown,
  rooms: ReadonlySet<RoomId>,
  { scope }: ReadView,
): JsonObject[] {
  const list = requireArray(requireObject(body, 'notifications')['notifications'], 'notifications');
  const readable = readableTypesOf(scope);
  return list.flatMap((one) => {
    if (!isObject(one) || typeof one['room_id'] !== 'string' || !rooms.has(one['room_id'] as RoomId))
      return [];
    const whole = filterEvent(one['event'], one['room_id'], 'around-event', readable);
    // It must still be an event of that room.
    if (whole === null && filterEvent(one['event'], one['room_id'], 'around-event', ALL_TYPES) === null)
      return [];
    const { prev_content: _before, ...shown } = whole ?? { content: {} };
    const actions = Array.isArray(one['actions'])
      ? (one['actions'] as unknown[]).filter((action) => typeof action === 'string')
      : [];
    return [{ ...pick(one, NOTIFICATION), actions, event: shown, room_id: one['room_id'] }];
  });
}

/** The rooms a page of thread subscriptions speaks of. */
export function roomIdsInThreadSubscriptions(body: unknown): string[] {
  return SUBSCRIBED.flatMap((name) =>
    isObject(body) && isObject(body[name]) ? Object.keys(body[name]) : [],
  );
}

/** Thread subscriptions of rooms in scope (MSC4308). */
export function filterThreadSubscriptions(
  body: unknown,
  rooms: ReadonlySet<RoomId>,
): { readonly body: JsonObject; readonly empty: boolean } {
  const page = requireObject(body, 'subscriptions');
  const of = (name: (typeof SUBSCRIBED)[number]) =>
    Object.entries(optionalObject(page[name], name)).flatMap(([roomId, threads]) => {
      if (!rooms.has(roomId as RoomId)) return [];
      const known = Object.entries(requireObject(threads, name)).flatMap(([root, one]) =>
        parseEventId(root) !== null && isObject(one) ? [[root, pick(one, SUBSCRIPTION)] as const] : [],
      );
      return [[roomId, Object.fromEntries(known)] as const];
    });
  const subscribed = of('subscribed');
  const unsubscribed = of('unsubscribed');
  return {
    body: { subscribed: Object.fromEntries(subscribed), unsubscribed: Object.fromEntries(unsubscribed) },
    empty: subscribed.length + unsubscribed.length === 0,
  };
}
