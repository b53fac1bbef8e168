import { isObject } from '../../domain/json.ts';
import type { RoomId } from '../../domain/ids.ts';
import { addMediaReferences, MAX_REFERENCES, type MediaReference } from '../../domain/media-reference.ts';

/** The files that events of one room show, and the events that are bundled in them. */
export function referencesInEvents(events: Iterable<unknown>, roomId: RoomId): readonly MediaReference[] {
  const found: MediaReference[] = [];
  for (const event of events) addMediaReferences(event, roomId, found);
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
  for (const event of events as unknown[]) addMediaReferences(event, roomId as RoomId, found);
}
