import { isObject } from '../../domain/json.ts';
import type { RoomId } from '../../domain/ids.ts';
import { type MediaReference, mediaReferencesOf } from '../../domain/media-reference.ts';

const MAX_REFERENCES = 2_000;

/** The files that events of one room show, and the events that are bundled in them. */
export function referencesInEvents(events: Iterable<unknown>, roomId: RoomId): readonly MediaReference[] {
  const found: MediaReference[] = [];
  for (const event of events) addReferences(event, roomId, found);
  return found.slice(0, MAX_REFERENCES);
}

/** The files that a filtered `/sync` shows. */
export function referencesInSync(body: unknown): readonly MediaReference[] {
  const found: MediaReference[] = [];
  const rooms = isObject(body) && isObject(body['rooms']) ? body['rooms'] : {};
  for (const section of [rooms['join'], rooms['leave']]) {
    if (!isObject(section)) continue;
    for (const [roomId, room] of Object.entries(section)) {
      if (!isObject(room)) continue;
      for (const part of ['timeline', 'state', 'state_after'])
        if (isObject(room[part])) addAll(room[part]['events'], roomId, found);
    }
  }
  return found.slice(0, MAX_REFERENCES);
}

/** The files that a filtered sliding sync shows. */
export function referencesInSlidingSync(body: unknown): readonly MediaReference[] {
  const found: MediaReference[] = [];
  const rooms = isObject(body) && isObject(body['rooms']) ? body['rooms'] : {};
  for (const [roomId, room] of Object.entries(rooms)) {
    if (!isObject(room)) continue;
    addAll(room['timeline'], roomId, found);
    addAll(room['required_state'], roomId, found);
  }
  return found.slice(0, MAX_REFERENCES);
}

function addAll(events: unknown, roomId: string, found: MediaReference[]): void {
  if (!Array.isArray(events)) return;
  for (const event of events as unknown[]) addReferences(event, roomId as RoomId, found);
}

function addReferences(event: unknown, roomId: RoomId, found: MediaReference[]): void {
  if (!isObject(event) || found.length >= MAX_REFERENCES) return;
  for (const reference of mediaReferencesOf(event, roomId)) found.push(reference);
  const { unsigned } = event;
  const relations = isObject(unsigned) ? unsigned['m.relations'] : undefined;
  if (!isObject(relations)) return;
  addReferences(relations['m.replace'], roomId, found);
  if (isObject(relations['m.thread'])) addReferences(relations['m.thread']['latest_event'], roomId, found);
}
