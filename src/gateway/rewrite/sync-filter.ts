import type { RoomId } from '../../domain/ids.ts';
import { isObject, type JsonObject } from '../filters/shown.ts';
import { rebuiltEventFilter, texts } from './event-filter.ts';

/** Above this many characters the rooms are not said upstream: Synapse takes request lines of 16 KiB. */
const MAX_PUSHED = 6_000;
const NOTHING = { types: [], not_types: ['*'] };

/**
 * The filter the homeserver is given for `/sync`: the holder's, narrowed to the scope, with everything off
 * that is the subject's own. It saves work and keeps other rooms from waking the poll; what is shown is
 * decided on the answer all the same. Null where the holder's filter is not understood.
 * @param named the rooms of a scope that names them; null for a scope of all rooms, which may become more
 */
export function pushedSyncFilter(asked: unknown, scope: ReadonlySet<RoomId>, named: boolean): JsonObject | null {
  if (!isObject(asked)) return null;
  const inScope = (room: string) => scope.has(room as RoomId);
  const room = asked['room'] ?? {};
  if (!isObject(room)) return null;
  const state = rebuiltEventFilter(room['state'] ?? {}, inScope);
  const timeline = rebuiltEventFilter(room['timeline'] ?? {}, inScope);
  const wanted = room['rooms'] === undefined || room['rooms'] === null ? null : texts(room['rooms']);
  const unwanted = texts(room['not_rooms'] ?? []);
  if (state === null || timeline === null || unwanted === null) return null;
  if (wanted === null && room['rooms'] !== undefined && room['rooms'] !== null) return null;
  const leave = room['include_leave'];
  const rooms = wanted !== null ? wanted.filter(inScope) : named ? [...scope] : null;
  const pushed = {
    presence: NOTHING,
    account_data: NOTHING,
    room: {
      ...(unwanted.length > 0 ? { not_rooms: unwanted.filter(inScope) } : {}),
      ...(leave === true ? { include_leave: true } : {}),
      account_data: NOTHING,
      ephemeral: NOTHING,
      state,
      timeline,
    },
  };
  if (rooms === null) return pushed;
  const whole = { ...pushed, room: { rooms, ...pushed.room } };
  return encodeURIComponent(JSON.stringify(whole)).length > MAX_PUSHED ? pushed : whole;
}
