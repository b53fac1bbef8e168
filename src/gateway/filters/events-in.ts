import { isObject, type JsonObject } from '../../domain/json.ts';

/** The events in these lists of an answer. What is no list has none. */
export function eventsInLists(body: unknown, names: readonly string[]): unknown[] {
  if (!isObject(body)) return [];
  return names.flatMap((name) => (Array.isArray(body[name]) ? (body[name] as unknown[]) : []));
}

/** `/joined_members` as the member events it is made of: everyone has set their own picture. */
export function joinedAsEvents(body: unknown): readonly JsonObject[] {
  const joined = isObject(body) && isObject(body['joined']) ? body['joined'] : {};
  return Object.entries(joined).flatMap(([user, member]) => {
    if (!isObject(member)) return [];
    return [
      { type: 'm.room.member', sender: user, state_key: user, content: { avatar_url: member['avatar_url'] } },
    ];
  });
}
