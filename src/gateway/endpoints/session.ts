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
    why: 'For monitoring.',
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
    why: 'With it `mintwarden doctor` distinguishes this gateway from another one and from the homeserver. It also says where the request seemed to come from.',
  },
  {
    id: 'getWellknown',
    kind: 'static',
    methods: ['GET'],
    paths: ['/.well-known/matrix/client'],
    respond: (_, { publicUrl }) => ({ 'm.homeserver': { base_url: publicUrl } }),
    why: 'Points clients to this gateway.',
  },
  {
    id: 'getVersions',
    kind: 'public',
    methods: ['GET'],
    paths: ['/_matrix/client/versions'],
    to: '/_matrix/client/versions',
    filter: versions,
    deviceFilter: versionsForDevices,
    shown: 'the versions of the catalogue; of unstable features only those served',
    why: 'Clients ask this first, without a token. Unstable features that are not served are not advertised.',
  },
  {
    id: 'getCapabilities',
    kind: 'forward',
    methods: ['GET'],
    paths: ['/_matrix/client/{v}/capabilities'],
    needs: 'holder',
    to: '/_matrix/client/v3/capabilities',
    filter: ({ access }) => capabilitiesFilter(access.grant.scope),
    shown: 'room versions; with `profile`, whether name and avatar may be changed; everything else is off',
    why: 'What a token cannot do is reported as disabled, so that clients do not offer it.',
  },
  {
    id: 'getTokenOwner',
    kind: 'local',
    methods: ['GET'],
    paths: ['/_matrix/client/{v}/account/whoami'],
    needs: 'holder',
    respond: ({ access }) =>
      ok({ user_id: access.grant.subject, device_id: `MINTWARDEN_${access.grant.id}`, is_guest: false }),
    why: 'Some clients do not start without a device ID. The upstream token has none, so the gateway makes one up from the grant’s ID.',
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
    why: 'The rooms in scope that the subject is in now.',
  },
  {
    id: 'logout',
    kind: 'task',
    does: 'token',
    methods: ['POST'],
    paths: ['/_matrix/client/{v}/logout'],
    needs: 'holder',
    plan: () => ({ kind: 'token', run: withdraw }),
    why: 'A holder may give up their token: the grant ends. This request itself does not reach the homeserver.',
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
    why: 'Says what the token may do and until when, as data and as a sentence.',
  },
  unserved(
    'getWellknownSupport',
    'GET',
    '/.well-known/matrix/support',
    'Belongs to the homeserver; ask it directly.',
  ),
  unserved(
    'getWellknownPolicy',
    'GET',
    '/.well-known/matrix/policy_server',
    'Belongs to the homeserver; ask it directly.',
  ),
];
