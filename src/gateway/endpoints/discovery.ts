import { multiStep } from './tasks.ts';
import { hierarchySteps } from '../discovery/hierarchy.ts';
import { searchSteps } from '../discovery/search.ts';
import type { Endpoint } from '../request/endpoint.ts';

/** What looks beyond one room, and is kept inside the scope. */
export const FINDING: readonly Endpoint[] = [
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
    asked: 'POST, body written anew: only rooms in scope, every other room of the subject ruled out',
    shown:
      'results in rooms in scope, what stands around them, and their groups; the count only where nothing was left out',
    why: 'Synapse adds the predecessors of the rooms it is told to search: they are ruled out by name, and the answer is filtered all the same.',
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
    asked: '`suggested_only`, `max_depth`; all pages, to their end',
    shown: 'rooms in scope, and of their children those in scope; pages are the gateway’s own',
    why: 'The homeserver’s own pages would tell how many rooms lie outside; what is reached only through a room outside is not shown.',
  },
];
