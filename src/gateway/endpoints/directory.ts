import { multiStep } from './tasks.ts';
import { visibility } from '../filters/directory.ts';
import { publicRoomsSteps, resolveAliasSteps, searchPublicRoomsSteps } from '../discovery/directory.ts';
import { requireOneOf } from './authorizers.ts';
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
  shown: 'the public room list, which any account can see',
  why: 'Finds rooms outside the scope.',
} as const;
const POINTS = 'Decides for everyone where an alias leads; redirecting one misleads people.';

/** Names and lists of rooms. */
export const DIRECTORY: readonly Endpoint[] = [
  {
    id: 'getRoomIdByAlias',
    kind: 'task',
    does: 'multiStep',
    methods: ['GET'],
    paths: [ALIAS],
    needs: 'read',
    authorize: requireOneOf('read', 'directory'),
    room: 'answer',
    plan: multiStep(resolveAliasSteps),
    asked: 'unchanged; aliases of other servers are rate-limited',
    shown: 'the ID and servers of a room in scope, otherwise not found. With `directory`, of any room',
    why: 'Clients know rooms by alias. Where an alias of another room leads is not revealed.',
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
    why: 'Anyone may ask this about a room.',
  },
  never('setRoomAlias', 'PUT', ALIAS, POINTS),
  never('deleteRoomAlias', 'DELETE', ALIAS, POINTS),
  never('setRoomVisibilityOnDirectory', 'PUT', LISTED, 'Would list a room publicly.'),
  never(
    'updateAppserviceRoomDirectoryVisibility',
    'PUT',
    `${C}/directory/list/appservice/{networkId}/{roomId}`,
    'Only for application services.',
  ),
  {
    ...list,
    id: 'getPublicRooms',
    methods: ['GET'],
    plan: multiStep(publicRoomsSteps),
    asked: '`limit`, `since`, `server`; other servers are rate-limited',
  },
  {
    ...list,
    id: 'queryPublicRooms',
    formOf: 'getPublicRooms',
    methods: ['POST'],
    body: 'json',
    plan: multiStep(searchPublicRoomsSteps),
    asked: '`server`; limit, since, search term, room types; other servers are rate-limited',
  },
];
