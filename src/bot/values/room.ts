import { MintwardenError } from '../../domain/errors.ts';
import { parseRoomAlias, parseRoomId } from '../../domain/ids.ts';
import type { RoomReference } from '../../lifecycle/requests.ts';
import { parsePermalink } from './permalink.ts';
import { isWholeRoomId } from './whole-room-id.ts';

/**
 * The value of `--rooms`: `all`, or rooms parted by commas. Errors show aliases of `serverName`.
 * @throws MintwardenError `usage`
 */
export function parseRooms(text: string, serverName: string): 'all' | readonly RoomReference[] {
  const items = text.split(',').map((item) => item.trim());
  if (items.some((item) => item === '')) {
    const kept = items.filter((item) => item !== '').join(',');
    const next =
      kept === '' ? 'Write for example `--rooms !abc,#ops:example.org`.' : `Write: \`--rooms ${kept}\``;
    throw new MintwardenError('usage', 'There is a comma too many in --rooms.', next);
  }
  const all = items.filter((item) => item.toLowerCase() === 'all');
  if (all.length > 0 && items.length > 1) {
    throw new MintwardenError(
      'usage',
      'Either all rooms or some: --rooms has both.',
      'Write `--rooms all`, or the rooms alone.',
    );
  }
  return all.length > 0 ? 'all' : items.map((item) => parseRoom(item, serverName));
}

/**
 * A room as somebody named it: an id, the beginning of one, an alias or a link (`parsePermalink`). Null where
 * it is none.
 */
export function readRoom(text: string): RoomReference | null {
  const linked = parsePermalink(text);
  const typed = linked ?? text;
  const alias = parseRoomAlias(typed);
  if (alias !== null) return { kind: 'alias', alias };
  const cut = linked === null ? typed.replace(/(?:…|\.{3})$/u, '') : typed;
  const roomId = parseRoomId(cut);
  if (roomId === null) return null;
  return cut === typed && isWholeRoomId(roomId) ? { kind: 'id', roomId } : { kind: 'prefix', text: cut };
}

/** @throws MintwardenError `usage` for what is no room */
function parseRoom(text: string, serverName: string): RoomReference {
  const room = readRoom(text);
  if (room !== null) return room;
  const next = text.startsWith('#')
    ? `An alias has a server part: \`${text.slice(0, 60)}:${serverName}\`.`
    : `Rooms are named by id (\`!abc…\`), by alias (\`#ops:${serverName}\`) or by link; \`--rooms all\` is all of them.`;
  throw new MintwardenError('usage', `“${text.slice(0, 100)}” is not a room.`, next);
}
