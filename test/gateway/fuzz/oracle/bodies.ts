import { type Bounds, eventFault } from './bounds.ts';
import { asksForRead, holds, holdsType } from './holds.ts';

type Body = Readonly<Record<string, unknown>>;
type Params = Readonly<Record<string, string>>;

const isObject = (value: unknown): value is Body =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A body with these keys and no other. */
export function plainBody(kinds: Readonly<Record<string, 'text' | 'number' | 'flag' | 'object'>>) {
  return (body: Body): string | null => {
    for (const [key, value] of Object.entries(body)) {
      const kind = Object.hasOwn(kinds, key) ? kinds[key] : undefined;
      if (kind === undefined) return `an unknown key ${key}`;
      const found = typeof value === 'string' ? 'text' : typeof value === 'boolean' ? 'flag' : typeof value;
      if (found !== kind || value === null) return `${key} is of the wrong type`;
    }
    return null;
  };
}

/**
 * What may stand in an event that is sent: nothing that rings everybody, verifies, or reaches into another
 * room.
 */
export function contentFault(body: Body, params: Params, { scope }: Bounds): string | null {
  const text = JSON.stringify(body);
  if (text.includes('m.key.verification')) return 'verifies a device';
  if (text.includes('"msgtype":"m.server_notice"')) return 'speaks for the homeserver';
  if (isObject(body['m.mentions']) && body['m.mentions']['room'] === true) return 'rings everybody';
  if (body['m.mentions'] === undefined && /@room/i.test(JSON.stringify(body['body'] ?? '')))
    return 'rings everybody';
  const relates = body['m.relates_to'];
  if (relates === undefined) return params['type'] === 'm.reaction' ? 'a reaction to nothing' : null;
  if (!isObject(relates)) return 'a relation that is none';
  for (const event of text.matchAll(/"event_id":"([^"]+)"/g)) {
    const fault = eventFault(event[1] ?? '', params['room'] ?? '');
    if (fault !== null) return fault;
  }
  if (relates['rel_type'] === 'm.replace') {
    if (!holds(scope, 'edit')) return 'an edit';
    if (!JSON.stringify(relates['event_id']).endsWith('a"')) return 'an edit of what another said';
  }
  const reacts = relates['rel_type'] === 'm.annotation';
  if (reacts !== (params['type'] === 'm.reaction')) return 'a reaction under another type';
  return relates['rel_type'] === 'm.other' ? 'a relation nobody knows' : null;
}

const SEARCHED: Readonly<Record<string, string>> = {
  'content.body': 'm.room.message',
  'content.name': 'm.room.name',
  'content.topic': 'm.room.topic',
};

/** A search asks in rooms in scope; every other room it names, it rules out. */
export function searchFault(body: Body, _: Params, { rooms, scope }: Bounds): string | null {
  const categories = body['search_categories'];
  if (
    !isObject(categories) ||
    Object.keys(body).length !== 1 ||
    Object.keys(categories).join() !== 'room_events'
  )
    return 'another category';
  const asked = categories['room_events'];
  if (!isObject(asked) || !isObject(asked['filter'])) return 'no filter';
  const known = plainBody({
    search_term: 'text',
    keys: 'object',
    order_by: 'text',
    include_state: 'flag',
    event_context: 'object',
    groupings: 'object',
    filter: 'object',
  })(asked);
  if (known !== null) return known;
  const { rooms: wanted, not_rooms: unwanted } = asked['filter'];
  if (!Array.isArray(wanted) || wanted.length === 0) return 'no rooms named: that is all of them';
  if (!wanted.every((room) => rooms.has(room as string))) return 'a room outside the scope';
  if (!Array.isArray(unwanted)) return 'nothing ruled out';
  if (!asksForRead(asked['filter'], scope)) return 'a type that is not read';
  const keys =
    Array.isArray(asked['keys']) && asked['keys'].length > 0
      ? (asked['keys'] as unknown[])
      : Object.keys(SEARCHED);
  if (!keys.every((key) => holdsType(scope, 'read', SEARCHED[String(key)] ?? '')))
    return 'words of a type that is not read';
  return JSON.stringify(asked['groupings'] ?? {}).includes('evil') ? 'an unknown key' : null;
}
