import type { RoomId } from '../../domain/ids.ts';
import { isObject, type JsonObject } from '../filters/json-shape.ts';
import { type MediaReference, mediaReferencesOf } from './media-references.ts';

/** Which answer it is: only of these it is known where the events stand in it. */
export type Shower = 'sync' | 'sliding' | ShowingLine;

type ShowingLine = {
  readonly lineId: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: ReadonlyMap<string, string>;
};

const MAX_SHOWINGS = 2_000;

/**
 * The files that an answer shows, as it was made for the holder. Events are looked for only where the
 * answer's kind has them: a body may be an event's content whole, which anyone can give the looks of an
 * event.
 */
export function showingsIn(shower: Shower, body: unknown): readonly MediaReference[] {
  const found: MediaReference[] = [];
  const take = (events: unknown, roomId: RoomId): void => {
    if (!Array.isArray(events)) return;
    for (const event of events as unknown[]) takeOne(event, roomId, found);
  };
  if (shower === 'sync') ofSync(body, take);
  else if (shower === 'sliding') ofSliding(body, take);
  else ofLine(shower, body, take);
  return found.slice(0, MAX_SHOWINGS);
}

type Take = (events: unknown, roomId: RoomId) => void;

/** An event, and those that are bundled in it. */
function takeOne(event: unknown, roomId: RoomId, found: MediaReference[]): void {
  if (!isObject(event) || found.length >= MAX_SHOWINGS) return;
  for (const showing of mediaReferencesOf(event, roomId)) found.push(showing);
  const { unsigned } = event;
  const relations = isObject(unsigned) ? unsigned['m.relations'] : undefined;
  if (!isObject(relations)) return;
  takeOne(relations['m.replace'], roomId, found);
  if (isObject(relations['m.thread'])) takeOne(relations['m.thread']['latest_event'], roomId, found);
}

function ofSync(body: unknown, take: Take): void {
  const rooms = isObject(body) && isObject(body['rooms']) ? body['rooms'] : {};
  for (const section of [rooms['join'], rooms['leave']]) {
    if (!isObject(section)) continue;
    for (const [roomId, room] of Object.entries(section)) {
      if (!isObject(room)) continue;
      for (const part of ['timeline', 'state', 'state_after'])
        if (isObject(room[part])) take(room[part]['events'], roomId as RoomId);
    }
  }
}

function ofSliding(body: unknown, take: Take): void {
  const rooms = isObject(body) && isObject(body['rooms']) ? body['rooms'] : {};
  for (const [roomId, room] of Object.entries(rooms)) {
    if (!isObject(room)) continue;
    take(room['timeline'], roomId as RoomId);
    take(room['required_state'], roomId as RoomId);
  }
}

function ofLine({ lineId, params, query }: ShowingLine, body: unknown, take: Take): void {
  const roomId = (params['roomId'] ?? '') as RoomId;
  const part: JsonObject = isObject(body) ? body : {};
  switch (lineId) {
    case 'getRoomEvents':
    case 'getMembersByRoom':
    case 'getRelatingEvents':
    case 'getRelatingEventsWithRelType':
    case 'getRelatingEventsWithRelTypeAndEventType':
    case 'getThreadRoots':
      take(part['chunk'], roomId);
      take(part['state'], roomId);
      return;
    case 'getRoomState':
      return take(body, roomId);
    case 'getOneRoomEvent':
      return take([body], roomId);
    case 'getRoomStateByType':
    case 'getRoomStateByTypeSlash':
    case 'getRoomStateWithKey':
      if (query.get('format') === 'event') take([body], roomId);
      return;
    case 'getEventContext':
      take([part['event']], roomId);
      for (const list of ['events_before', 'events_after', 'state']) take(part[list], roomId);
      return;
    case 'getJoinedMembersByRoom':
      return take(joinedAsEvents(body), roomId);
    default:
      return;
  }
}

/** `/joined_members` as the events it is made of: everyone has set their own picture. */
export function joinedAsEvents(body: unknown): readonly JsonObject[] {
  const joined = isObject(body) && isObject(body['joined']) ? body['joined'] : {};
  return Object.entries(joined).flatMap(([user, member]) => {
    if (!isObject(member)) return [];
    return [
      { type: 'm.room.member', sender: user, state_key: user, content: { avatar_url: member['avatar_url'] } },
    ];
  });
}
