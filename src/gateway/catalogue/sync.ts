import type { Line } from './line.ts';
import { unserved } from './refusals.ts';

const C = '/_matrix/client/{v}';
const LEGACY = 'Deprecated since 2016; sync serves what it did.';

/** The long-poll. */
export const SYNC: readonly Line[] = [
  {
    id: 'sync',
    kind: 'poll',
    methods: ['GET'],
    paths: [`${C}/sync`],
    needs: 'read',
    room: 'answer',
    asked: 'the holder’s filter, narrowed to the scope; `since`, `timeout`, `full_state`, `use_state_after`; presence offline',
    shown: 'timeline, state, summary, invites, leaves, knocks of rooms in scope',
    why: 'The rooms in scope, each with timeline, state, members; the wait goes on while there is nothing to show.',
  },
  unserved(
    'slidingSync',
    ['POST', 'GET'],
    [
      '/_matrix/client/unstable/org.matrix.simplified_msc3575/sync',
      '/_matrix/client/unstable/org.matrix.msc3575/sync',
      '/_matrix/client/v4/sync',
    ],
    'Synapse answers it 500 where a token has no device, so it is not advertised either.',
    { source: 'unstable' },
  ),
  unserved('getEvents', 'GET', `${C}/events`, LEGACY, { also: ['peekEvents'] }),
  unserved('initialSync', 'GET', `${C}/initialSync`, LEGACY),
  unserved('getOneEvent', 'GET', `${C}/events/{eventId}`, 'Names no room, so none can be judged; an event is asked for in its room.'),
  unserved(
    'roomInitialSync',
    'GET',
    `${C}/rooms/{roomId}/initialSync`,
    'Also looks into rooms one is not in; state, members and messages serve.',
  ),
];
