import { FORBIDDEN, ok } from '../answer.ts';
import { alreadyJoined } from '../filters/account.ts';
import { isObject } from '../filters/shown.ts';
import type { Line } from './line.ts';

const OWN_MEMBER = '/_matrix/client/v3/rooms/{roomId}/state/m.room.member/{me}';

/** Writing: no scope of this version holds it. What stock clients do not live without is answered without changing anything. */
export const ROOMS_WRITE: readonly Line[] = [
  {
    id: 'joinRoom',
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
    kind: 'forward',
    methods: ['PUT'],
    paths: ['/_matrix/client/{v}/rooms/{roomId}/state/{eventType}/{stateKey}'],
    needs: 'read',
    room: 'path',
    body: 'json',
    check: ({ params, body, access }) => {
      const own = params['eventType'] === 'm.room.member' && params['stateKey'] === access.grant.subject;
      return own && isObject(body) && body['membership'] === 'join' ? null : FORBIDDEN;
    },
    to: OWN_MEMBER,
    fixed: { format: 'event' },
    filter: (call) => alreadyJoined(call.params['roomId'] ?? ''),
    why: 'Refused, but for a join of oneself where one is joined: double puppets do that, and it changes nothing.',
  },
  {
    id: 'setRoomState',
    kind: 'refused',
    methods: ['PUT'],
    paths: ['/_matrix/client/{v}/rooms/{roomId}/state/{eventType}', '/_matrix/client/{v}/rooms/{roomId}/state/{eventType}/'],
    why: 'Changing the state of a room is not in any scope.',
  },
  {
    id: 'sendMessage',
    kind: 'refused',
    methods: ['PUT'],
    paths: ['/_matrix/client/{v}/rooms/{roomId}/send/{eventType}/{txnId}'],
    why: 'Sending is not in any scope.',
  },
  {
    id: 'sendMessageWithoutTransaction',
    kind: 'refused',
    methods: ['POST'],
    paths: ['/_matrix/client/{v}/rooms/{roomId}/send/{eventType}'],
    why: 'Sending is not in any scope.',
  },
  {
    id: 'redactEvent',
    kind: 'refused',
    methods: ['PUT', 'POST'],
    paths: ['/_matrix/client/{v}/rooms/{roomId}/redact/{eventId}/{txnId}', '/_matrix/client/{v}/rooms/{roomId}/redact/{eventId}'],
    why: 'Redacting is not in any scope.',
  },
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
];
