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
    shown: 'name, avatar, time zone',
    why: 'Only for the subject and members of rooms in scope, which is looked up first.',
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
    shown: 'name, avatar, time zone',
    why: 'One field of the profile.',
  },
];
