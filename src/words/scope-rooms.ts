import type { Grant, RoomFacts } from '../domain/grant.ts';
import type { RoomId } from '../domain/ids.ts';
import { joined, line } from './build.ts';
import type { Line } from './document.ts';
import { quotedWords, safeInline, shortened } from './safe-text.ts';

const MAX_NAMED = 20;
const WHOLE_ID = 24;
const SHORT_ID = 15;
const SEES = 'sees who and when, not what';

/** What a sentence about a grant's rooms needs to know of it. */
type Rooms = Pick<Grant, 'scope' | 'rooms'>;

/**
 * A room id as it is shown in a sentence: its beginning, which a command understands where it is the only
 * such one.
 */
function shortRoomId(roomId: RoomId, among: readonly RoomId[] = []): string {
  if (roomId.length <= WHOLE_ID) return roomId;
  const short = shortened(roomId, SHORT_ID);
  const twin = among.some((other) => other !== roomId && shortened(other, SHORT_ID) === short);
  return twin ? roomId : short;
}

function factsOf(grant: Rooms): readonly RoomFacts[] {
  const { rooms } = grant.scope;
  if (rooms === 'all') return [];
  return rooms.map(
    (roomId) =>
      grant.rooms.find((room) => room.roomId === roomId) ?? { roomId, name: null, encrypted: false },
  );
}

/** Up to so many of them by name, the rest by number. */
export function listed(items: readonly Line[], last = 'and'): Line {
  const more = items.length - MAX_NAMED;
  return more > 0 ? joined([...items.slice(0, MAX_NAMED), [`${more} more`]], last) : joined(items, last);
}

/**
 * `1 room, “Ops” (!x…)`, `2 rooms: …`, or every room the user is in; by whose creation, where that counts.
 */
export function roomWords(grant: Rooms): Line {
  const { rooms, by } = grant.scope;
  const makers =
    by === undefined
      ? []
      : line` that ${
          by.length === 0
            ? 'nobody'
            : listed(
                by.map((each) => [safeInline(each)]),
                'or',
              )
        } made`;
  if (rooms === 'all') {
    return line`every room the user is in${makers}, later ones too (never the control room, Mintwarden's DMs, server notices)`;
  }
  const facts = factsOf(grant);
  const ids = facts.map((room) => room.roomId);
  const named = facts.map(({ roomId, name }): Line => {
    const id = shortRoomId(roomId, ids);
    return [name === null || name.trim() === '' ? id : `${quotedWords(name, 60)} (${id})`];
  });
  const only = by === undefined ? [] : line`, of these those${makers}`;
  return line`${facts.length === 1 ? '1 room, ' : `${facts.length} rooms: `}${listed(named)}${only}`;
}

/** Which of the rooms are encrypted, and what that hides from a token without keys; null where none is. */
export function encryptionWords(grant: Rooms): Line | null {
  if (grant.scope.rooms === 'all') return [`of encrypted rooms it ${SEES}`];
  const facts = factsOf(grant);
  const encrypted = facts.filter((room) => room.encrypted);
  if (encrypted.length === 0) return null;
  if (facts.length === 1) return [`it is encrypted: ${SEES}`];
  if (encrypted.length === facts.length) return [`all of them are encrypted: ${SEES}`];
  const ids = facts.map((room) => room.roomId);
  const names = encrypted.map(({ roomId, name }): Line => [
    name === null || name.trim() === '' ? shortRoomId(roomId, ids) : quotedWords(name, 60),
  ]);
  return line`${listed(names)}${encrypted.length === 1 ? ' is' : ' are'} encrypted: ${SEES}`;
}
