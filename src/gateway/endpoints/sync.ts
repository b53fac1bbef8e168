import { planSlidingSync, planSync, planEmptySync } from './sync-tasks.ts';
import type { Endpoint } from '../request/endpoint.ts';
import { unserved } from './refused.ts';

const C = '/_matrix/client/{v}';
const SLIDING = '/_matrix/client/unstable/org.matrix.simplified_msc3575/sync';
const LEGACY = 'Deprecated since 2016; use sync.';

/** The long-poll. */
export const SYNC: readonly Endpoint[] = [
  {
    id: 'sync',
    kind: 'task',
    does: 'poll',
    untimed: true,
    methods: ['GET'],
    paths: [`${C}/sync`],
    plan: planSync,
    withoutCapability: planEmptySync,
    needs: 'read',
    byType: 'filtered',
    room: 'answer',
    asked:
      'the holder’s filter, narrowed to the scope; `since`, `timeout`, `full_state`, `use_state_after`; presence offline, unless `presence` is granted. Without `read` nothing: an empty answer after the wait',
    shown:
      'timeline, state, summary, invites, leaves, knocks of rooms in scope; the personal data that `typing`, `receipts`, `markers`, `tags`, `account-data`, `push-rules`, `notifications` and `presence` (the subject’s own) open',
    why: 'The rooms in scope, each with timeline, state and members. It keeps waiting while there is nothing to show.',
  },
  {
    id: 'slidingSync',
    source: 'unstable',
    kind: 'task',
    does: 'poll',
    untimed: true,
    plan: planSlidingSync,
    device: true,
    methods: ['POST'],
    paths: [SLIDING, '/_matrix/client/v4/sync'],
    needs: 'read',
    byType: 'filtered',
    room: 'answer',
    body: 'json',
    asked:
      'body rebuilt: no lists, but a subscription to each room in scope that the holder’s lists or subscriptions cover; no extensions; `pos`, `timeout`; presence offline',
    shown:
      'names, timeline, state, members of rooms in scope; lists made by the gateway, of rooms in scope ordered by ID; no extensions',
    why: 'The homeserver’s lists would count every room of the subject (MSC4186). Synapse answers 500 to tokens without a device, so it is not served or advertised to those.',
  },
  unserved(
    'slidingSyncOtherwise',
    ['GET', 'PUT', 'DELETE'],
    [SLIDING, '/_matrix/client/v4/sync'],
    'Use POST.',
    {
      source: 'unstable',
    },
  ),
  unserved(
    'oldSlidingSync',
    'any',
    ['/_matrix/client/unstable/org.matrix.msc3575/sync'],
    'The draft before the simplified one; Synapse removed it.',
    {
      source: 'unstable',
    },
  ),
  unserved('getEvents', 'GET', `${C}/events`, LEGACY, { also: ['peekEvents'] }),
  unserved('initialSync', 'GET', `${C}/initialSync`, LEGACY),
  unserved(
    'getOneEvent',
    'GET',
    `${C}/events/{eventId}`,
    'Names no room, so the scope cannot be checked; request the event in its room.',
  ),
  unserved(
    'roomInitialSync',
    'GET',
    `${C}/rooms/{roomId}/initialSync`,
    'Also reads rooms the subject is not in; use state, members and messages.',
  ),
];
