import { parseEventId, parseUserId, type RoomId } from '../../domain/ids.ts';
import { projectAccountData } from './account-data.ts';
import { filterPushRules } from './push-rules.ts';
import { isObject, type JsonObject, optionalArray, optionalObject, pick, type Shape } from './json-shape.ts';
import { holds, mayReadAccountData, type ReadView } from './read-view.ts';

const COUNTS: Shape = { highlight_count: 'count', notification_count: 'count' };
const STATUS: Shape = {
  presence: 'text',
  status_msg: 'text',
  last_active_ago: 'count',
  currently_active: 'flag',
};

/** Sections of a `/sync` that are the subject's own, and whether there is anything in them to be told of. */
export type PersonalSections = { readonly sections: JsonObject; readonly news: boolean };

/**
 * What a room's entry holds of the subject's own: their data on it, who types, who has read what, how much is
 * unread. Only what the scope's capabilities open.
 */
export function filterRoomPersonalData(
  room: JsonObject,
  rooms: ReadonlySet<RoomId>,
  view: ReadView,
): PersonalSections {
  const data = dataIn(room['account_data'], 'room', rooms, view);
  const given = optionalArray(optionalObject(room['ephemeral'], 'ephemeral')['events'], 'ephemeral').filter(
    isObject,
  );
  const ephemeral = given.flatMap((event) => filterEphemeral(event, view) ?? []);
  const counts = holds(view.scope, 'notifications');
  const threads =
    counts && isObject(room['unread_thread_notifications'])
      ? Object.entries(room['unread_thread_notifications'])
      : [];
  const perThread = threads.flatMap(([root, count]) =>
    isObject(count) && parseEventId(root) !== null ? [[root, pick(count, COUNTS)] as const] : [],
  );
  return {
    sections: {
      account_data: { events: data },
      ephemeral: { events: ephemeral },
      unread_notifications: counts
        ? pick(optionalObject(room['unread_notifications'], 'unread_notifications'), COUNTS)
        : {},
      ...(perThread.length === 0 ? {} : { unread_thread_notifications: Object.fromEntries(perThread) }),
    },
    // Counts stand in every entry. What brings them down is a receipt of the subject's own.
    news:
      data.length > 0 || ephemeral.length > 0 || (counts && given.some((event) => isOwnReceipt(event, view))),
  };
}

/**
 * What the answer itself holds of the subject's own: account data, and the subject's presence. Whether others
 * share a room in scope at this moment is not in the answer, so their presence is not shown here.
 */
export function filterAccountPersonalData(
  body: JsonObject,
  rooms: ReadonlySet<RoomId>,
  view: ReadView,
): PersonalSections {
  const data = dataIn(body['account_data'], 'account', rooms, view);
  const states = holds(view.scope, 'presence')
    ? optionalArray(optionalObject(body['presence'], 'presence')['events'], 'presence')
    : [];
  const presence = states.filter(isObject).flatMap((event) => {
    if (event['type'] !== 'm.presence' || event['sender'] !== view.subject || !isObject(event['content']))
      return [];
    return [{ type: 'm.presence', sender: view.subject, content: pick(event['content'], STATUS) }];
  });
  return {
    sections: {
      ...(data.length === 0 ? {} : { account_data: { events: data } }),
      ...(presence.length === 0 ? {} : { presence: { events: presence } }),
    },
    news: data.length > 0 || presence.length > 0,
  };
}

function dataIn(
  section: unknown,
  of: 'room' | 'account',
  rooms: ReadonlySet<RoomId>,
  view: ReadView,
): JsonObject[] {
  const events = optionalArray(optionalObject(section, 'account_data')['events'], 'account_data');
  return events.flatMap((event) => {
    if (!isObject(event) || typeof event['type'] !== 'string' || !isObject(event['content'])) return [];
    const { type, content } = event;
    if (of === 'account' && type === 'm.push_rules' && holds(view.scope, 'push-rules')) {
      return [{ type, content: { global: filterPushRules(content['global'], rooms, view) } }];
    }
    return mayReadAccountData(view.scope, type, of)
      ? [{ type, content: projectAccountData(type, content, rooms) }]
      : [];
  });
}

function filterEphemeral(event: JsonObject, { subject, scope }: ReadView): JsonObject | null {
  const content = isObject(event['content']) ? event['content'] : {};
  if (event['type'] === 'm.typing' && holds(scope, 'typing')) {
    const typing = Array.isArray(content['user_ids']) ? (content['user_ids'] as unknown[]) : [];
    return { type: 'm.typing', content: { user_ids: typing.filter(isUser) } };
  }
  if (event['type'] !== 'm.receipt') return null;
  const shown: [string, JsonObject][] = [];
  for (const [eventId, kinds] of Object.entries(content)) {
    if (parseEventId(eventId) === null || !isObject(kinds)) continue;
    const read = holds(scope, 'receipts') ? readers(kinds['m.read'], isUser) : {};
    const own = holds(scope, 'markers') ? readers(kinds['m.read.private'], (user) => user === subject) : {};
    const both = Object.entries({ 'm.read': read, 'm.read.private': own }).filter(
      ([, users]) => Object.keys(users).length > 0,
    );
    if (both.length > 0) shown.push([eventId, Object.fromEntries(both)]);
  }
  return shown.length === 0 ? null : { type: 'm.receipt', content: Object.fromEntries(shown) };
}

function readers(users: unknown, mayBeShown: (user: string) => boolean): JsonObject {
  if (!isObject(users)) return {};
  const shown = Object.entries(users).flatMap(([user, receipt]) =>
    mayBeShown(user) && isObject(receipt)
      ? [[user, pick(receipt, { ts: 'count', thread_id: 'text' })] as const]
      : [],
  );
  return Object.fromEntries(shown);
}

function isUser(value: unknown): value is string {
  return typeof value === 'string' && parseUserId(value) !== null;
}

function isOwnReceipt(event: JsonObject, { subject }: ReadView): boolean {
  if (event['type'] !== 'm.receipt' || !isObject(event['content'])) return false;
  return Object.values(event['content']).some(
    (kinds) =>
      isObject(kinds) &&
      Object.values(kinds).some((users) => isObject(users) && Object.hasOwn(users, subject)),
  );
}
