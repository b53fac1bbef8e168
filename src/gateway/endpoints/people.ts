import { multiStep } from './tasks.ts';
import { presenceStatus } from '../filters/presence.ts';
import { searchUsersSteps } from '../discovery/directory.ts';
import { setPresenceSteps } from '../personal/presence.ts';
import { deleteProfileFieldSteps, setProfileFieldSteps } from '../personal/profile.ts';
import type { Endpoint } from '../request/endpoint.ts';
import { never, unserved } from './refused.ts';

const C = '/_matrix/client/{v}';
const FIELD = `${C}/profile/{userId}/{keyName}`;
const MSC4133 = ['/_matrix/client/unstable/uk.tcpip.msc4133/profile/{userId}/{keyName}'];
const REPORT = 'Files a complaint in the subject’s name.';
const THIRD_PARTY = 'Answers of bridges have no shape that could be checked; use the bridge’s own commands.';

/** People and what is known of them beyond the rooms in scope. */
export const PEOPLE: readonly Endpoint[] = [
  {
    id: 'setProfileField',
    kind: 'task',
    does: 'multiStep',
    methods: ['PUT'],
    paths: [FIELD],
    aliases: MSC4133,
    needs: 'profile',
    user: 'self',
    body: 'json',
    parameters: 'refused',
    plan: multiStep(setProfileFieldSteps),
    asked: 'only name, avatar and time zone; query parameters are refused',
    shown: 'nothing',
    why: 'The subject’s profile shows in every room, so it needs its own capability. Other fields cannot be set. Left out, `propagate=false` would change more than was asked for.',
  },
  {
    id: 'deleteProfileField',
    kind: 'task',
    does: 'multiStep',
    methods: ['DELETE'],
    paths: [FIELD],
    aliases: MSC4133,
    needs: 'profile',
    user: 'self',
    parameters: 'refused',
    plan: multiStep(deleteProfileFieldSteps),
    asked: 'only name, avatar and time zone',
    shown: 'nothing',
    why: 'As above.',
  },
  {
    id: 'getPresence',
    kind: 'forward',
    methods: ['GET'],
    paths: [`${C}/presence/{userId}/status`],
    needs: 'presence',
    requiresSharedRoom: true,
    to: '/_matrix/client/v3/presence/{userId}/status',
    maskNotFound: true,
    filter: () => presenceStatus,
    shown: 'state, status message, last activity',
    why: 'Presence belongs to no room. Only for the subject and members of rooms in scope, which is looked up first.',
  },
  {
    id: 'setPresence',
    kind: 'task',
    does: 'multiStep',
    methods: ['PUT'],
    paths: [`${C}/presence/{userId}/status`],
    needs: 'presence',
    user: 'self',
    body: 'json',
    plan: multiStep(setPresenceSteps),
    asked: 'only state and status message',
    shown: 'nothing',
    why: 'A program that runs does not mean the subject is online, unless that is granted.',
  },
  {
    id: 'searchUserDirectory',
    kind: 'task',
    does: 'multiStep',
    methods: ['POST'],
    paths: [`${C}/user_directory/search`],
    needs: 'directory',
    body: 'json',
    plan: multiStep(searchUsersSteps),
    asked: 'search term and limit',
    shown: 'user ID, name, avatar',
    why: 'Finds people the subject knows or may know, in any room.',
  },
  unserved('getProtocols', 'GET', `${C}/thirdparty/protocols`, THIRD_PARTY),
  unserved('getProtocolMetadata', 'GET', `${C}/thirdparty/protocol/{protocol}`, THIRD_PARTY),
  unserved('queryLocationByProtocol', 'GET', `${C}/thirdparty/location/{protocol}`, THIRD_PARTY),
  unserved('queryUserByProtocol', 'GET', `${C}/thirdparty/user/{protocol}`, THIRD_PARTY),
  unserved('queryLocationByAlias', 'GET', `${C}/thirdparty/location`, THIRD_PARTY),
  unserved('queryUserByID', 'GET', `${C}/thirdparty/user`, THIRD_PARTY),
  unserved(
    'getMutualRooms',
    'GET',
    `${C}/mutual_rooms`,
    'Covers the whole account; the members of rooms in scope show what a holder may know.',
    {
      aliases: [
        '/_matrix/client/unstable/uk.half-shot.msc2666/user/mutual_rooms',
        '/_matrix/client/unstable/uk.half-shot.msc2666/user/mutual_rooms/{userId}',
      ],
    },
  ),
  never('reportRoom', 'POST', `${C}/rooms/{roomId}/report`, REPORT, {
    aliases: ['/_matrix/client/unstable/org.matrix.msc4151/rooms/{roomId}/report'],
  }),
  never('reportEvent', 'POST', `${C}/rooms/{roomId}/report/{eventId}`, REPORT),
  never('reportUser', 'POST', `${C}/users/{userId}/report`, REPORT, {
    aliases: ['/_matrix/client/unstable/org.matrix.msc4260/users/{userId}/report'],
  }),
];
