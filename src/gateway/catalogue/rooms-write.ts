import { FORBIDDEN, lacking, ok } from '../answer.ts';
import { alreadyJoined } from '../filters/account.ts';
import { isObject } from '../filters/shown.ts';
import type { Line } from './line.ts';
import { later, never } from './refusals.ts';
import { SENDING } from './sending.ts';

const R = '/_matrix/client/{v}/rooms/{roomId}';
const settingState = {
  room: 'a room in scope',
  asked: 'by type and key, JSON written anew; nothing of the query',
  shown: 'the event’s id',
};
const OWN_MEMBER = '/_matrix/client/v3/rooms/{roomId}/state/m.room.member/{me}';

/** Writing. What stock clients do not live without is answered without changing anything. */
export const ROOMS_WRITE: readonly Line[] = [
  {
    id: 'joinRoom',
    also: ['joinRoomById'],
    shown: 'the room’s id',
    asked: 'nothing of the request',
    kind: 'forward',
    methods: ['POST'],
    paths: ['/_matrix/client/{v}/join/{roomId}', '/_matrix/client/{v}/rooms/{roomId}/join'],
    needs: 'read',
    room: 'path',
    to: OWN_MEMBER,
    fixed: { format: 'event' },
    filter: (call) => alreadyJoined(call.params['roomId'] ?? ''),
    why: 'Bots join on every start. Where the subject is in the room already that is true without doing anything; an alias is refused.',
  },
  {
    id: 'setRoomStateWithKey',
    shown: 'the event’s id',
    asked: 'nothing of the request',
    kind: 'forward',
    methods: ['PUT'],
    paths: ['/_matrix/client/{v}/rooms/{roomId}/state/{eventType}/{stateKey}'],
    needs: 'read',
    room: 'path',
    body: 'json',
    check: ({ params, body, access }) => {
      const own = params['eventType'] === 'm.room.member' && params['stateKey'] === access.grant.subject;
      if (!own) return lacking('state');
      return isObject(body) && body['membership'] === 'join' ? null : FORBIDDEN;
    },
    to: OWN_MEMBER,
    fixed: { format: 'event' },
    filter: (call) => alreadyJoined(call.params['roomId'] ?? ''),
    why: 'A join of oneself where one is joined is what double puppets do, and changes nothing; everything else needs `state`.',
  },
  later('state', 'setRoomState', 'PUT', [`${R}/state/{eventType}`, `${R}/state/{eventType}/`], settingState, 'State with an empty key: changes the room for everybody.', {
    source: 'synapse',
  }),
  ...SENDING,
  never('delayedEvents', 'any',
    ['/_matrix/client/unstable/org.matrix.msc4140/**', '/_matrix/client/{v}/delayed_events', '/_matrix/client/{v}/delayed_events/**'],
    'Fires after the token is gone.', { source: 'unstable' }),
  {
    id: 'setTyping',
    kind: 'local',
    methods: ['PUT'],
    paths: ['/_matrix/client/{v}/rooms/{roomId}/typing/{userId}'],
    needs: 'read',
    room: 'path',
    user: 'self',
    answer: () => ok({}),
    why: 'Clients do it unasked; nobody is told that the subject types.',
  },
  {
    id: 'postReceipt',
    kind: 'local',
    methods: ['POST'],
    paths: ['/_matrix/client/{v}/rooms/{roomId}/receipt/{receiptType}/{eventId}'],
    needs: 'read',
    room: 'path',
    answer: () => ok({}),
    why: 'Clients do it unasked; the subject has not read what a holder reads.',
  },
  {
    id: 'setReadMarker',
    kind: 'local',
    methods: ['POST'],
    paths: ['/_matrix/client/{v}/rooms/{roomId}/read_markers'],
    needs: 'read',
    room: 'path',
    answer: () => ok({}),
    why: "As receipts: the subject's marker stays where it is.",
  },
]; // prettier-ignore
