import { NOT_FOUND } from '../answer.ts';
import { aliasTarget, roomOfAlias, visibility } from '../filters/directory.ts';
import type { Line } from './line.ts';
import { later, never } from './refusals.ts';

const C = '/_matrix/client/{v}';
const LISTED = `${C}/directory/list/room/{roomId}`;
const ALIAS = `${C}/directory/room/{roomAlias}`;
const listed = { room: 'none', asked: 'limit, since, the search term', shown: 'the public list, which any account sees' };
const POINTS = 'Says where a name leads, for everybody; a name that leads elsewhere tomorrow is a trap.';

/** Names and lists of rooms. */
export const DIRECTORY: readonly Line[] = [
  {
    id: 'getRoomIdByAlias',
    kind: 'forward',
    methods: ['GET'],
    paths: [ALIAS],
    needs: 'read',
    room: 'answer',
    to: '/_matrix/client/v3/directory/room/{roomAlias}',
    hides: true,
    check: ({ params }) => (/^#[^:]+:.+$/.test(params['roomAlias'] ?? '') ? null : NOT_FOUND),
    speaksOf: roomOfAlias,
    filter: () => aliasTarget,
    shown: 'the id and servers of a room in scope; every other name is not found',
    why: 'Clients know rooms by their names; where a name leads elsewhere is not told.',
  },
  {
    id: 'getRoomVisibilityOnDirectory',
    kind: 'forward',
    methods: ['GET'],
    paths: [LISTED],
    needs: 'read',
    room: 'path',
    to: '/_matrix/client/v3/directory/list/room/{roomId}',
    filter: () => visibility,
    shown: 'public or private',
    why: 'A fact of the room that anybody may ask.',
  },
  never('setRoomAlias', 'PUT', ALIAS, POINTS),
  never('deleteRoomAlias', 'DELETE', ALIAS, POINTS),
  never('setRoomVisibilityOnDirectory', 'PUT', LISTED, 'Would show a room to everyone.'),
  never('updateAppserviceRoomDirectoryVisibility', 'PUT', `${C}/directory/list/appservice/{networkId}/{roomId}`, 'For application services alone.'),
  later('directory', 'getPublicRooms', 'GET', `${C}/publicRooms`, listed, 'What can be found beyond the rooms in scope.'),
  later('directory', 'queryPublicRooms', 'POST', `${C}/publicRooms`, listed, 'What can be found beyond the rooms in scope.'),
]; // prettier-ignore
