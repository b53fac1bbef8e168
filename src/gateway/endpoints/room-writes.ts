import { multiStep } from './tasks.ts';
import { joinSteps, mayJoin } from '../writes/membership.ts';
import { joinByStateSteps, mayJoinByState } from '../writes/own-membership.ts';
import { maySetState, setStateSteps } from '../writes/state.ts';
import type { Endpoint } from '../request/endpoint.ts';
import { never } from './refused.ts';
import { RECEIPTS_AND_TYPING } from './receipts-and-typing.ts';
import { SENDING } from './sending.ts';

const R = '/_matrix/client/{v}/rooms/{roomId}';
const state = {
  kind: 'task',
  does: 'multiStep',
  room: 'path',
  body: 'json',
  parameters: 'refused',
  needs: 'state',
  authorize: maySetState,
  plan: multiStep(setStateSteps),
} as const;
const ASKED =
  'PUT, by type and key, JSON rebuilt; query parameters are refused; with a power ceiling, the room’s power levels are looked up first';

/** Writing. What stock clients do not live without is answered without changing anything. */
export const ROOM_WRITES: readonly Endpoint[] = [
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
    plan: multiStep(joinSteps),
    asked:
      'GET of the subject’s member event; if not joined, with `join`: POST, a reason, JSON rebuilt; no query parameters',
    shown: 'the room ID',
    why: 'Bots join at every start: if the subject is already in the room, nothing needs to be done; otherwise `join` is needed. Aliases are refused, and `via` would make the homeserver contact any server.',
  },
  {
    id: 'setOwnMembership',
    source: 'ours',
    formOf: 'joinRoom',
    kind: 'task',
    does: 'multiStep',
    methods: ['PUT'],
    paths: [`${R}/state/m.room.member/{userId}`],
    needs: 'join',
    authorize: mayJoinByState,
    room: 'path',
    user: 'self',
    body: 'json',
    parameters: 'refused',
    plan: multiStep(joinByStateSteps),
    asked:
      'GET of the subject’s member event; if not joined, with `join`: PUT, the membership `join` and a reason, with `profile` also name and picture',
    shown: 'the event ID',
    why: 'A join, as double puppets write it; part of `setRoomStateWithKey` in the specification. If the subject is joined, the existing event is the answer, unless name or picture change with `profile`. No other membership is written so.',
  },
  {
    ...state,
    id: 'setRoomStateWithKey',
    methods: ['PUT'],
    paths: [`${R}/state/{eventType}/{stateKey}`],
    asked: ASKED,
    shown: 'the event ID',
    why: 'Changes the room for everyone, by type and key, unencrypted in every room, as state always is. Membership has its own capabilities. `m.room.power_levels`, `m.room.tombstone`, `m.room.create`, third-party invites and message types are never set.',
  },
  {
    ...state,
    id: 'setRoomState',
    formOf: 'setRoomStateWithKey',
    source: 'synapse',
    methods: ['PUT'],
    paths: [`${R}/state/{eventType}`, `${R}/state/{eventType}/`],
    asked: ASKED,
    shown: 'the event ID',
    why: 'As above, with an empty state key.',
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
    'Would fire after the token has ended.',
    { source: 'unstable' },
  ),
  ...RECEIPTS_AND_TYPING,
];
