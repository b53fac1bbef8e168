import { multiStep } from './tasks.ts';
import { hierarchySteps } from '../discovery/hierarchy.ts';
import { searchSteps } from '../discovery/search.ts';
import type { Endpoint } from '../request/endpoint.ts';

/** What looks beyond one room, and is kept inside the scope. */
export const DISCOVERY: readonly Endpoint[] = [
  {
    id: 'search',
    kind: 'task',
    does: 'multiStep',
    methods: ['POST'],
    paths: ['/_matrix/client/{v}/search'],
    needs: 'read',
    byType: 'filtered',
    room: 'answer',
    body: 'json',
    plan: multiStep(searchSteps),
    asked: 'POST, body rebuilt: only rooms in scope, all other rooms of the subject excluded',
    shown: 'results in rooms in scope, with context and groups; the count only if nothing was left out',
    why: 'Synapse also searches predecessors of the given rooms: they are excluded by ID, and the answer is filtered too.',
  },
  {
    id: 'getSpaceHierarchy',
    kind: 'task',
    does: 'multiStep',
    methods: ['GET'],
    paths: ['/_matrix/client/{v}/rooms/{roomId}/hierarchy'],
    aliases: ['/_matrix/client/unstable/org.matrix.msc2946/rooms/{roomId}/hierarchy'],
    needs: 'read',
    room: 'path',
    plan: multiStep(hierarchySteps),
    asked: '`suggested_only`, `max_depth`; all pages',
    shown: 'rooms in scope, with their children in scope; paginated by the gateway',
    why: 'The homeserver’s pages would reveal how many rooms are outside the scope. Rooms reachable only through a room outside are not shown.',
  },
];
