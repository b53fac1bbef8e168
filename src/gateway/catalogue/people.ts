import type { Line } from './line.ts';
import { later, never, unserved } from './refusals.ts';

const C = '/_matrix/client/{v}';
const FIELD = `${C}/profile/{userId}/{keyName}`;
const MSC4133 = ['/_matrix/client/unstable/uk.tcpip.msc4133/profile/{userId}/{keyName}'];
const REPORT = 'A complaint in the subject’s name to people who could act on it.';
const self = 'the subject alone';
const entries = { room: 'none', asked: 'the parameters that are named', shown: 'the fields the specification names' };
const elsewhere = { ...entries, shown: 'rooms in scope and people in them' };

/** People and what is known of them beyond the rooms in scope. */
export const PEOPLE: readonly Line[] = [
  later('profile', 'setProfileField', 'PUT', FIELD, { room: self, asked: 'name, picture and time zone alone', shown: 'nothing' },
    'How the subject is called is theirs to say: it shows in every room.', { aliases: MSC4133 }),
  later('profile', 'deleteProfileField', 'DELETE', FIELD, { room: self, asked: 'as it is', shown: 'nothing' }, 'As above.', { aliases: MSC4133 }),
  later('presence', 'getPresence', 'GET', `${C}/presence/{userId}/status`,
    { room: 'members of rooms in scope', asked: 'as it is', shown: 'state, words, when last seen' }, 'When people are there is no room’s business.'),
  later('presence', 'setPresence', 'PUT', `${C}/presence/{userId}/status`, { room: self, asked: 'state and words alone', shown: 'nothing' },
    'The subject is not there because a program is.'),
  later('directory', 'searchUserDirectory', 'POST', `${C}/user_directory/search`,
    { room: 'none', asked: 'term and limit', shown: 'id, name, picture' }, 'Finds people the subject knows or could know, wherever they meet.'),
  later('directory', 'getProtocols', 'GET', `${C}/thirdparty/protocols`, entries, 'What bridges the server has.'),
  later('directory', 'getProtocolMetadata', 'GET', `${C}/thirdparty/protocol/{protocol}`, entries, 'What a bridge can look up.'),
  later('directory', 'queryLocationByProtocol', 'GET', `${C}/thirdparty/location/{protocol}`, entries, 'Looks rooms up in other networks.'),
  later('directory', 'queryUserByProtocol', 'GET', `${C}/thirdparty/user/{protocol}`, entries, 'Looks people up in other networks.'),
  later('directory', 'queryLocationByAlias', 'GET', `${C}/thirdparty/location`, elsewhere, 'The way back, from a room.'),
  later('directory', 'queryUserByID', 'GET', `${C}/thirdparty/user`, elsewhere, 'The way back, from a person.'),
  unserved('getMutualRooms', 'GET', `${C}/mutual_rooms`, 'Counts rooms over the whole account; the members of rooms in scope say what a holder may know.', {
    aliases: ['/_matrix/client/unstable/uk.half-shot.msc2666/user/mutual_rooms', '/_matrix/client/unstable/uk.half-shot.msc2666/user/mutual_rooms/{userId}'],
  }),
  never('reportRoom', 'POST', `${C}/rooms/{roomId}/report`, REPORT, { aliases: ['/_matrix/client/unstable/org.matrix.msc4151/rooms/{roomId}/report'] }),
  never('reportEvent', 'POST', `${C}/rooms/{roomId}/report/{eventId}`, REPORT),
  never('reportUser', 'POST', `${C}/users/{userId}/report`, REPORT, { aliases: ['/_matrix/client/unstable/org.matrix.msc4260/users/{userId}/report'] }),
]; // prettier-ignore
