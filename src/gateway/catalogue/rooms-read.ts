import { contextOf, eventOf, joinedMembers, membersOf, messagesOf, stateEventOf, stateOf } from '../filters/room.ts';
import { eventFilter, limit, oneOf, token } from '../rewrite/query-rules.ts';
import type { Call, ForwardLine, Line } from './line.ts';

const ROOM = '/_matrix/client/v3/rooms/{roomId}';
const MEMBERSHIP = oneOf('join', 'invite', 'leave', 'ban', 'knock');
const roomOf = (call: Call) => call.params['roomId'] ?? '';

/** What all reads of one room have in common. */
function read(id: string, below: string, rest: Pick<ForwardLine, 'filter' | 'why' | 'query' | 'hides'>): Line {
  const paths = [`/_matrix/client/{v}/rooms/{roomId}/${below}`];
  return { id, kind: 'forward', methods: ['GET'], paths, needs: 'read', room: 'path', to: `${ROOM}/${below}`, ...rest };
}

const state = { format: oneOf('content', 'event') };

/** Reading a room as a member of it does. */
export const ROOMS_READ: readonly Line[] = [
  read('getRoomEvents', 'messages', {
    query: { from: token, to: token, dir: oneOf('b', 'f'), limit, filter: eventFilter },
    filter: (call) => messagesOf(roomOf(call)),
    why: 'The timeline; every event must say that it is of this room.',
  }),
  read('getRoomState', 'state', {
    filter: (call) => stateOf(roomOf(call)),
    why: 'The whole state; every event must say that it is of this room.',
  }),
  read('getRoomStateByType', 'state/{eventType}', {
    query: state,
    filter: (call) => stateEventOf(roomOf(call), call.query.get('format')),
    why: 'State with an empty key.',
  }),
  read('getRoomStateByTypeSlash', 'state/{eventType}/', {
    query: state,
    filter: (call) => stateEventOf(roomOf(call), call.query.get('format')),
    why: 'State with an empty key, in the form with a slash at its end.',
  }),
  read('getRoomStateWithKey', 'state/{eventType}/{stateKey}', {
    query: state,
    filter: (call) => stateEventOf(roomOf(call), call.query.get('format')),
    why: 'One piece of state.',
  }),
  read('getMembersByRoom', 'members', {
    query: { at: token, membership: MEMBERSHIP, not_membership: MEMBERSHIP },
    filter: (call) => membersOf(roomOf(call)),
    why: 'Member events of this room.',
  }),
  read('getJoinedMembersByRoom', 'joined_members', {
    filter: () => joinedMembers,
    why: 'Who is in the room.',
  }),
  read('getOneRoomEvent', 'event/{eventId}', {
    filter: (call) => eventOf(roomOf(call)),
    hides: true,
    why: 'One event, if it is of this room; of others it is not told whether they exist.',
  }),
  read('getEventContext', 'context/{eventId}', {
    query: { limit, filter: eventFilter },
    filter: (call) => contextOf(roomOf(call)),
    hides: true,
    why: 'What stands around an event, if that is of this room; Synapse alone would load it from any.',
  }),
];
