import { parseEventId, type RoomId } from '../../domain/ids.ts';
import { shownEvent } from './event.ts';
import { EVERY_TYPE, readableIn } from './readable.ts';
import { isObject, type JsonObject, maybeObject, needList, needObject, pick, type Shape } from './shown.ts';
import type { Sight } from './sight.ts';

const NOTIFICATION: Shape = { read: 'flag', ts: 'count' };
const SUBSCRIPTION: Shape = { automatic: 'flag', bump_stamp: 'count' };
const SUBSCRIBED = ['subscribed', 'unsubscribed'] as const;

/** The rooms a page of notifications speaks of. */
export function roomsOfNotifications(body: unknown): string[] {
  const list =
    isObject(body) && Array.isArray(body['notifications']) ? (body['notifications'] as unknown[]) : [];
  return list.flatMap((one) => (isObject(one) && typeof one['room_id'] === 'string' ? [one['room_id']] : []));
}

/**
 * Notifications of rooms in scope: what rang, when, and whether it was read. The event's content is there
 * where the scope reads events of its type; the rules of the device it rang on are not.
 */
export function shownNotifications(
  body: unknown,
  rooms: ReadonlySet<RoomId>,
  { scope }: Sight,
): JsonObject[] {
  const list = needList(needObject(body, 'notifications')['notifications'], 'notifications');
  const readable = readableIn(scope);
  return list.flatMap((one) => {
    if (!isObject(one) || typeof one['room_id'] !== 'string' || !rooms.has(one['room_id'] as RoomId))
      return [];
    const whole = shownEvent(one['event'], one['room_id'], 'around-event', readable);
    const event = whole ?? shownEvent(one['event'], one['room_id'], 'around-event', EVERY_TYPE);
    if (event === null) return [];
    const { content, unsigned, prev_content: _before, ...head } = event;
    const shown =
      whole !== null
        ? { ...head, content, ...(unsigned === undefined ? {} : { unsigned }) }
        : { ...head, content: {} };
    const actions = Array.isArray(one['actions'])
      ? (one['actions'] as unknown[]).filter((action) => typeof action === 'string')
      : [];
    return [{ ...pick(one, NOTIFICATION), actions, event: shown, room_id: one['room_id'] }];
  });
}

/** The rooms a page of thread subscriptions speaks of. */
export function roomsOfSubscriptions(body: unknown): string[] {
  return SUBSCRIBED.flatMap((name) =>
    isObject(body) && isObject(body[name]) ? Object.keys(body[name]) : [],
  );
}

/** Thread subscriptions of rooms in scope (MSC4308). */
export function shownSubscriptions(
  body: unknown,
  rooms: ReadonlySet<RoomId>,
): { readonly body: JsonObject; readonly empty: boolean } {
  const page = needObject(body, 'subscriptions');
  const of = (name: (typeof SUBSCRIBED)[number]) =>
    Object.entries(maybeObject(page[name], name)).flatMap(([roomId, threads]) => {
      if (!rooms.has(roomId as RoomId)) return [];
      const known = Object.entries(needObject(threads, name)).flatMap(([root, one]) =>
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
