import { clientAddress } from '../http/client-address.ts';
import { introspect, withdraw } from './token-actions.ts';
import { ok } from '../http/response.ts';
import {
  capabilitiesFilter,
  joinedRooms,
  roomIdsInJoinedRooms,
  versions,
  versionsForDevices,
} from '../filters/account.ts';
import type { Endpoint } from '../request/endpoint.ts';
import { unserved } from './refused.ts';

/** Who am I, what may I do, and the end of it. */
export const SESSION: readonly Endpoint[] = [
  {
    id: 'health',
    source: 'ours',
    kind: 'static',
    methods: ['GET'],
    paths: ['/health'],
    respond: () => ({ status: 'ok' }),
    why: 'For whoever watches over the service.',
  },
  {
    id: 'proveInstance',
    source: 'ours',
    kind: 'static',
    methods: ['GET'],
    // Among the client operations, since a proxy may pass those and nothing else.
    paths: ['/_matrix/client/unstable/org.mintwarden/instance/{challenge}'],
    respond: ({ params, message }, { proveInstance, trustedProxies }) => ({
      proof: proveInstance(params['challenge'] ?? ''),
      from: clientAddress(message.socket.remoteAddress, message.rawHeaders, trustedProxies),
    }),
    why: 'By it `mintwarden doctor` tells this gateway from another one, and from the homeserver. Says from where the request seemed to come.',
  },
  {
    id: 'getWellknown',
    kind: 'static',
    methods: ['GET'],
    paths: ['/.well-known/matrix/client'],
    respond: (_, { publicUrl }) => ({ 'm.homeserver': { base_url: publicUrl } }),
    why: 'Where a holder’s requests belong: here.',
  },
  {
    id: 'getVersions',
    kind: 'public',
    methods: ['GET'],
    paths: ['/_matrix/client/versions'],
    to: '/_matrix/client/versions',
    filter: versions,
    deviceFilter: versionsForDevices,
    shown: 'the versions of the catalogue; of unstable features those that are served',
    why: 'Clients ask it first, without a token; unstable features that are not served are not advertised.',
  },
  {
    id: 'getCapabilities',
    kind: 'forward',
    methods: ['GET'],
    paths: ['/_matrix/client/{v}/capabilities'],
    needs: 'holder',
    to: '/_matrix/client/v3/capabilities',
    filter: ({ access }) => capabilitiesFilter(access.grant.scope),
    shown: 'room versions; with `profile`, whether name and picture may be changed; everything else is off',
    why: 'What a token cannot do is said to be off, so that clients do not offer it.',
  },
  {
    id: 'getTokenOwner',
    kind: 'local',
    methods: ['GET'],
    paths: ['/_matrix/client/{v}/account/whoami'],
    needs: 'holder',
    respond: ({ access }) =>
      ok({ user_id: access.grant.subject, device_id: `MINTWARDEN_${access.grant.id}`, is_guest: false }),
    why: 'Some clients do not start without a device id; the upstream token has none, so the grant lends its own.',
  },
  {
    id: 'getJoinedRooms',
    kind: 'forward',
    methods: ['GET'],
    paths: ['/_matrix/client/{v}/joined_rooms'],
    needs: 'holder',
    room: 'answer',
    to: '/_matrix/client/v3/joined_rooms',
    roomsIn: roomIdsInJoinedRooms,
    filter: () => joinedRooms,
    shown: 'rooms in scope',
    why: 'The rooms in scope that the subject is in at this moment.',
  },
  {
    id: 'logout',
    kind: 'task',
    does: 'token',
    methods: ['POST'],
    paths: ['/_matrix/client/{v}/logout'],
    needs: 'holder',
    plan: () => ({ kind: 'token', run: withdraw }),
    why: 'Whoever holds a token may give it up: the grant ends, nothing of it reaches the homeserver by this request.',
  },
  {
    id: 'introspectToken',
    source: 'ours',
    kind: 'task',
    does: 'token',
    methods: ['GET'],
    paths: ['/_mintwarden/v1/token'],
    needs: 'holder',
    plan: () => ({ kind: 'token', run: introspect }),
    why: 'What may I do, until when? As data and as a sentence.',
  },
  unserved('getWellknownSupport', 'GET', '/.well-known/matrix/support', 'The homeserver’s own; asked of it.'),
  unserved(
    'getWellknownPolicy',
    'GET',
    '/.well-known/matrix/policy_server',
    'The homeserver’s own; asked of it.',
  ),
];
