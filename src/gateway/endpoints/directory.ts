import { multiStep } from './tasks.ts';
import { visibility } from '../filters/directory.ts';
import { listingRooms, resolvingAlias, searchingRooms } from '../discovery/directory.ts';
import { oneOfThese } from './authorizers.ts';
import type { Endpoint } from '../request/endpoint.ts';
import { never } from './refused.ts';

const C = '/_matrix/client/{v}';
const LISTED = `${C}/directory/list/room/{roomId}`;
const ALIAS = `${C}/directory/room/{roomAlias}`;
const list = {
  kind: 'task',
  does: 'multiStep',
  paths: [`${C}/publicRooms`],
  needs: 'directory',
  shown: 'the public list, which any account sees',
  why: 'What can be found beyond the rooms in scope.',
} as const;
const POINTS = 'Says where a name leads, for everybody; a name that leads elsewhere tomorrow is a trap.';

/** Names and lists of rooms. */
export const DIRECTORY: readonly Endpoint[] = [
  {
    id: 'getRoomIdByAlias',
    kind: 'task',
    does: 'multiStep',
    methods: ['GET'],
    paths: [ALIAS],
    needs: 'read',
    authorize: oneOfThese('read', 'directory'),
    room: 'answer',
    plan: multiStep(resolvingAlias),
    asked: 'as it is; a name of another server at a pace',
    shown:
      'the id and servers of a room in scope; every other name is not found. With `directory`, of any room',
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
  never(
    'updateAppserviceRoomDirectoryVisibility',
    'PUT',
    `${C}/directory/list/appservice/{networkId}/{roomId}`,
    'For application services alone.',
  ),
  {
    ...list,
    id: 'getPublicRooms',
    methods: ['GET'],
    plan: multiStep(listingRooms),
    asked: '`limit`, `since`, `server`; of another server at a pace',
  },
  {
    ...list,
    id: 'queryPublicRooms',
    methods: ['POST'],
    body: 'json',
    plan: multiStep(searchingRooms),
    asked: '`server`; limit, since, the search term, types of rooms; of another server at a pace',
  },
];
