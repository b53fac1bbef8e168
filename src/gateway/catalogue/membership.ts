import type { Line } from './line.ts';
import { later, never } from './refusals.ts';

const C = '/_matrix/client/{v}';
const R = `${C}/rooms/{roomId}`;
const room = 'a room in scope';
const person = { room, asked: 'the user’s id and a reason, JSON written anew', shown: 'nothing' };
const ACTS = ['join', 'leave', 'forget', 'invite', 'kick', 'ban', 'unban'] as const;

/** Who is in a room. A join of a room one is in stands with the writes. */
export const MEMBERSHIP: readonly Line[] = [
  never('createRoom', 'POST', `${C}/createRoom`, 'Nobody could say in whose scope the new room is.'),
  never('createRoomWithTransaction', 'PUT', `${C}/createRoom/{txnId}`, 'As above.', { source: 'synapse' }),
  never('upgradeRoom', 'POST', `${R}/upgrade`, 'Makes a room, and empties the old one for everybody.'),
  later('leave', 'leaveRoom', 'POST', `${R}/leave`, { room, asked: 'a reason', shown: 'nothing' }, 'Ends what the subject sees of the room.'),
  later('leave', 'forgetRoom', 'POST', `${R}/forget`, { room, asked: 'an empty body', shown: 'nothing' }, 'Takes the room’s past from the subject.'),
  later('invite', 'inviteUser', 'POST', `${R}/invite`, person, 'Speaks to people in the subject’s name; by user id alone, an e-mail address is in no scope.', {
    also: ['inviteBy3PID'],
  }),
  later('kick', 'kick', 'POST', `${R}/kick`, person, 'Removes people, with the subject’s power.'),
  later('ban', 'ban', 'POST', `${R}/ban`, person, 'Removes people for good, with the subject’s power.'),
  later('unban', 'unban', 'POST', `${R}/unban`, person, 'Lets people back, with the subject’s power.'),
  later('knock', 'knockRoom', 'POST', `${C}/knock/{roomIdOrAlias}`, { room: 'a room in scope, by id', asked: 'a reason', shown: 'the room’s id' },
    'Asks strangers to let the subject in.'),
  never('membershipWithTransaction', 'PUT', [`${C}/join/{roomId}/{txnId}`, `${C}/knock/{roomId}/{txnId}`, ...ACTS.map((act) => `${R}/${act}/{txnId}`)],
    'No specification names it; Synapse has it, and the forms without serve.', { source: 'synapse' }),
]; // prettier-ignore
