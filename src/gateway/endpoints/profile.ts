import { profile } from '../filters/profile.ts';
import { oneOf } from '../rewrite/query-rules.ts';
import { NOT_FOUND } from '../http/response.ts';
import type { Endpoint } from '../request/endpoint.ts';

const FIELD = oneOf('displayname', 'avatar_url', 'm.tz', 'us.cloke.msc4175.tz');

/** Names and pictures of the people one meets in the rooms in scope. */
export const PROFILE: readonly Endpoint[] = [
  {
    id: 'getUserProfile',
    kind: 'forward',
    methods: ['GET'],
    paths: ['/_matrix/client/{v}/profile/{userId}'],
    aliases: ['/_matrix/client/unstable/uk.tcpip.msc4133/profile/{userId}'],
    needs: 'read',
    byType: ['m.room.member'],
    requiresSharedRoom: true,
    to: '/_matrix/client/v3/profile/{userId}',
    filter: () => profile,
    shown: 'name, picture, time zone',
    why: 'Of oneself and of members of the rooms in scope; who that is is looked up in those rooms first.',
  },
  {
    id: 'getProfileField',
    kind: 'forward',
    methods: ['GET'],
    paths: ['/_matrix/client/{v}/profile/{userId}/{keyName}'],
    aliases: ['/_matrix/client/unstable/uk.tcpip.msc4133/profile/{userId}/{keyName}'],
    needs: 'read',
    byType: ['m.room.member'],
    requiresSharedRoom: true,
    check: (call) => (FIELD(call.params['keyName'] ?? '', call) === null ? NOT_FOUND : null),
    to: '/_matrix/client/v3/profile/{userId}/{keyName}',
    filter: () => profile,
    shown: 'name, picture, time zone',
    why: 'One field of the same.',
  },
];
