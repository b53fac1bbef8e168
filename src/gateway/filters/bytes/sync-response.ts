import type { RoomId } from '../../../domain/ids.ts';
import { invalidResponse, type JsonObject } from '../json-shape.ts';
import { MAX_REFERENCES, type MediaReference, addMediaReferences } from '../../../domain/media-reference.ts';
import { contextOf, isShown, project } from '../project.ts';
import type { ReadView } from '../read-view.ts';
import type { DataRule } from '../shapes/rule.ts';
import { accountData } from '../shapes/sync.ts';
import type { Output } from './output.ts';
import { SECTIONS, type SyncRoom, type SyncRooms } from './sync-rooms.ts';

/** A `/sync` filtered for the rooms in scope, as it can be written. */
export type SyncResponse = {
  readonly nextBatch: string;
  readonly news: boolean;
  /** The rooms that lack their create event. */
  readonly missingCreate: readonly string[];
  /** @param creates create events to add, by room */
  write(creates: ReadonlyMap<string, JsonObject>): WrittenSync;
};

/** In pieces: one of them all would be as large as the answer once more. */
type WrittenSync = {
  readonly pieces: readonly Uint8Array[];
  readonly references: readonly MediaReference[];
};

type ShownRoom = { readonly room: SyncRoom; readonly data: readonly string[] };

/**
 * Decides about what depends on the rooms in scope: which rooms are shown, and what of account data.
 * @param whole keeps rooms in which there is no news; for those without, all create events are wanted
 * @throws MintwardenError `homeserver-invalid-response`
 */
export function syncResponse(
  given: SyncRooms,
  out: Output,
  view: ReadView,
  scope: ReadonlySet<RoomId>,
  whole: boolean,
): SyncResponse {
  const ofRoom = accountData('room', view);
  const shown = new Map<string, ShownRoom[]>();
  for (const section of SECTIONS) {
    const rooms: ShownRoom[] = [];
    for (const [roomId, room] of given.rooms.get(section) ?? []) {
      if (!scope.has(roomId as RoomId)) continue;
      if (!room.isObject) throw invalidResponse('room');
      const data = projected(room.events.data, ofRoom, scope);
      const isQuiet = !room.events.news && data.length === 0;
      if (isQuiet && !whole && (section === 'join' || section === 'leave')) continue;
      rooms.push({ room, data });
    }
    shown.set(section, rooms);
  }
  const account = projected(given.account.data, accountData('account', view), scope);
  const news =
    account.length > 0 || given.presence !== null || [...shown.values()].some(({ length }) => length > 0);
  const missingCreate = (shown.get('join') ?? [])
    .map(({ room }) => room.events)
    .filter(
      ({ subjectJson, hasCreate, hasOwnMember }) =>
        subjectJson !== null && !hasCreate && (whole || hasOwnMember),
    )
    .map(({ roomId }) => roomId);
  return {
    nextBatch: given.nextBatch,
    news,
    missingCreate,
    write: (creates) => written(given, out, shown, account, creates),
  };
}

function projected(raw: readonly Buffer[], rule: DataRule, scope: ReadonlySet<RoomId>): readonly string[] {
  return raw
    .map((json) => project(rule, JSON.parse(json.toString()), contextOf('', scope)))
    .filter(isShown)
    .map((one) => JSON.stringify(one));
}

function written(
  given: SyncRooms,
  out: Output,
  shown: ReadonlyMap<string, readonly ShownRoom[]>,
  account: readonly string[],
  creates: ReadonlyMap<string, JsonObject>,
): WrittenSync {
  const pieces: Uint8Array[] = [];
  const references: MediaReference[] = [];
  let text = `{"next_batch":${JSON.stringify(given.nextBatch)}`;
  const view = (start: number, end: number): void => {
    pieces.push(Buffer.from(text), out.view(start, end));
    text = '';
  };
  if (account.length > 0) text += `,"account_data":{"events":[${account.join(',')}]}`;
  if (given.presence !== null) {
    text += ',"presence":';
    view(...given.presence);
  }
  text += ',"rooms":{';
  for (const [at, section] of SECTIONS.entries()) {
    text += `${at > 0 ? ',' : ''}"${section}":{`;
    for (const [index, { room, data }] of (shown.get(section) ?? []).entries()) {
      text += `${index > 0 ? ',' : ''}${room.key.toString()}:`;
      const create = section === 'join' ? creates.get(room.events.roomId) : undefined;
      if (create !== undefined && room.insertAt >= 0) {
        view(room.start, room.insertAt);
        text = JSON.stringify(create) + (room.hasState ? ',' : '');
        view(room.insertAt, room.end);
        addMediaReferences(create, room.events.roomId as RoomId, references);
      } else view(room.start, room.end);
      const isMember = section === 'join' || section === 'leave';
      text += `${isMember ? `,"account_data":{"events":[${data.join(',')}]}` : ''}}`;
      for (const one of room.events.references) references.push(one);
    }
    text += '}';
  }
  pieces.push(Buffer.from(`${text}}}`));
  return { pieces, references: references.slice(0, MAX_REFERENCES) };
}
