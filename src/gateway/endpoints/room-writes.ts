import { multiStep } from './tasks.ts';
import { joining, mayJoin } from '../writes/membership.ts';
import { maySetState, settingState } from '../writes/state.ts';
import type { Endpoint } from '../request/endpoint.ts';
import { never } from './refused.ts';
import { ROOM_SIGNS } from './receipts-and-typing.ts';
import { SENDING } from './sending.ts';

const R = '/_matrix/client/{v}/rooms/{roomId}';
const state = {
  kind: 'task',
  does: 'multiStep',
  room: 'path',
  body: 'json',
  needs: 'state',
  authorize: maySetState,
  plan: multiStep(settingState),
} as const;
const ASKED =
  'PUT, by type and key, JSON written anew; a parameter is refused; where the scope has a ceiling of power, the room’s power is looked up first';

/** Writing. What stock clients do not live without is answered without changing anything. */
export const ROOMS_WRITE: readonly Endpoint[] = [
  {
    id: 'joinRoom',
    also: ['joinRoomById'],
    kind: 'task',
    does: 'multiStep',
    methods: ['POST'],
    paths: ['/_matrix/client/{v}/join/{roomId}', `${R}/join`],
    needs: 'read',
    room: 'path',
    body: 'json-if-any',
    authorize: mayJoin,
    plan: multiStep(joining),
    asked:
      'GET of the own member event; where that is not joined, with `join`: POST, a reason, JSON written anew; nothing of the query',
    shown: 'the room’s id',
    why: 'Bots join on every start: where the subject is in the room already that is true without doing anything, everything else needs `join`. An alias is refused; `via` would have the homeserver talk to any server.',
  },
  {
    ...state,
    id: 'setRoomStateWithKey',
    methods: ['PUT'],
    paths: [`${R}/state/{eventType}/{stateKey}`],
    asked: ASKED,
    shown: 'the event’s id',
    why: 'Changes the room for everybody, by type and key; in clear in every room, since state is never encrypted. Memberships have capabilities of their own; a join of oneself where one is joined, as double puppets write it, is answered from what stands. `m.room.power_levels`, `m.room.tombstone`, `m.room.create` and invites by address are never set, and what is sent is not set.',
  },
  {
    ...state,
    id: 'setRoomState',
    source: 'synapse',
    methods: ['PUT'],
    paths: [`${R}/state/{eventType}`, `${R}/state/{eventType}/`],
    asked: ASKED,
    shown: 'the event’s id',
    why: 'As above, with an empty key.',
  },
  ...SENDING,
  never(
    'delayedEvents',
    'any',
    [
      '/_matrix/client/unstable/org.matrix.msc4140/**',
      '/_matrix/client/{v}/delayed_events',
      '/_matrix/client/{v}/delayed_events/**',
    ],
    'Fires after the token is gone.',
    { source: 'unstable' },
  ),
  ...ROOM_SIGNS,
];
