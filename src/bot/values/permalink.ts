import { parseRoomAlias, parseRoomId, parseUserId } from '../../domain/ids.ts';
import type { RoomAlias, RoomId, UserId } from '../../domain/ids.ts';
import { isWholeRoomId } from './whole-room-id.ts';

/** Spec appendix, "matrix.to navigation"; people leave the scheme out. */
const MATRIX_TO = /^(?:https?:\/\/)?(?:www\.)?matrix\.to\/#\/(.*)$/i;
/** The addresses that web clients have themselves, on any host, and those that their desktop programs open. */
const WEB_CLIENT = /^(?:https?|element|vector|io\.element\.desktop):\/\/[^#]*#\/(user|room)\/(.*)$/i;
const CLIENT_SCHEME = /^(?:element|vector|io\.element\.desktop):\/\/(user|room)\/(.*)$/i;
/** Spec appendix, "Matrix URI scheme". */
const MATRIX_URI = /^matrix:(?:\/\/[^/?#]*\/)?(u|user|r|room|roomid)\/([^?#]*)(?:[?#].*)?$/i;

const SIGILS: Readonly<Record<string, string>> = { u: '@', user: '@', roomid: '!', r: '#', room: '#' };

/**
 * The user id, room id or alias that a link names, whole and valid: `https://matrix.to/#/…`, a web client's own
 * address (`https://chat.example.org/#/user/…`), `element://…` or a `matrix:` URI, escaped or not. Null for
 * anything else, links to an event included.
 */
export function parsePermalink(link: string): UserId | RoomId | RoomAlias | null {
  const text = link.trim();
  if (/[\s\p{Cc}]/u.test(text)) return null;
  const to = MATRIX_TO.exec(text)?.[1];
  if (to !== undefined) return identifier(to);
  const [, kind, name] = WEB_CLIENT.exec(text) ?? CLIENT_SCHEME.exec(text) ?? [];
  if (kind !== undefined && name !== undefined) {
    const id = identifier(name);
    return id !== null && (kind.toLowerCase() === 'user') === id.startsWith('@') ? id : null;
  }
  const [, type, rest] = MATRIX_URI.exec(text) ?? [];
  const sigil = SIGILS[type?.toLowerCase() ?? ''];
  const id = sigil === undefined || rest === undefined ? null : identifier(sigil + rest);
  return id?.[1] === sigil ? null : id;
}

/** What stands in the address, decoded once: decoding again would make another identifier of some. */
function identifier(escaped: string): UserId | RoomId | RoomAlias | null {
  const [before = ''] = escaped.split('?');
  let id: string;
  try {
    id = decodeURIComponent(before.replace(/\/$/, ''));
  } catch {
    return null;
  }
  const roomId = parseRoomId(id);
  if (roomId !== null) return isWholeRoomId(roomId) ? roomId : null;
  return id.startsWith('@:') ? null : (parseUserId(id) ?? parseRoomAlias(id));
}
