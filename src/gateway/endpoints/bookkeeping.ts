import { parseUserId } from '../../domain/ids.ts';
import { BAD_JSON, FILTER_TOO_LONG, NOT_FOUND, ok, matrixError, TOO_LARGE } from '../http/response.ts';
import { isObject } from '../filters/json-shape.ts';
import { readViewOf } from '../filters/read-view.ts';
import { isTooLong } from '../rewrite/query-rules.ts';
import { storedFilter, storedFilterId } from '../sync/stored-filter.ts';
import { pushedSyncFilter } from '../sync/sync-filter.ts';
import type { GatewayResponse } from '../http/response.ts';
import type { Endpoint, LocalEndpoint } from '../request/endpoint.ts';

/** An answer that is the same for every holder. */
function always(
  id: string,
  methods: LocalEndpoint['methods'],
  [path = '', ...aliases]: readonly string[],
  response: GatewayResponse,
  why: string,
  source?: Endpoint['source'],
): Endpoint {
  return {
    id,
    kind: 'local',
    methods,
    paths: [path],
    aliases,
    needs: 'holder',
    respond: () => response,
    why,
    ...(source === undefined ? {} : { source }),
  };
}

/** No devices, of each user that is asked for. */
function noDevices(body: unknown): Readonly<Record<string, object>> {
  const asked = isObject(body) && isObject(body['device_keys']) ? Object.keys(body['device_keys']) : [];
  return Object.fromEntries(asked.filter((one) => parseUserId(one) !== null).map((one) => [one, {}]));
}

/** What stock clients ask for at start and cannot live without, answered here. */
export const BOOKKEEPING: readonly Endpoint[] = [
  {
    id: 'defineFilter',
    kind: 'local',
    methods: ['POST'],
    paths: ['/_matrix/client/{v}/user/{userId}/filter'],
    needs: 'holder',
    user: 'self',
    body: 'json',
    respond: ({ body, access }) => {
      if (!isObject(body)) return matrixError(400, BAD_JSON, 'A filter is a JSON object.');
      // Said here, not at each sync with it.
      const pushed = pushedSyncFilter(body, access.rooms, readViewOf(access));
      if (pushed !== null && isTooLong(JSON.stringify(pushed))) return FILTER_TOO_LONG;
      const id = storedFilterId(body);
      return id === null ? TOO_LARGE : ok({ filter_id: id });
    },
    why: 'The ID is the packed filter itself; the homeserver never sees it.',
  },
  {
    id: 'getFilter',
    kind: 'local',
    methods: ['GET'],
    paths: ['/_matrix/client/{v}/user/{userId}/filter/{filterId}'],
    needs: 'holder',
    user: 'self',
    respond: ({ params }) => {
      const filter = storedFilter(params['filterId'] ?? '');
      return filter === null ? NOT_FOUND : ok(filter);
    },
    why: 'Unpacks the filter from its ID.',
  },
  always(
    'getRoomKeysVersionCurrent',
    ['GET'],
    ['/_matrix/client/{v}/room_keys/version'],
    NOT_FOUND,
    'A holder has no access to the subject’s key backup.',
  ),
  always(
    'uploadKeys',
    ['POST'],
    ['/_matrix/client/{v}/keys/upload'],
    ok({ one_time_key_counts: { signed_curve25519: 50 } }),
    'Some clients stop if this is refused. The token has no device, so nothing is stored.',
  ),
  {
    id: 'queryKeys',
    kind: 'local',
    methods: ['POST'],
    paths: ['/_matrix/client/{v}/keys/query'],
    needs: 'holder',
    body: 'json-if-any',
    respond: ({ body }) => ok({ device_keys: noDevices(body), failures: {} }),
    shown: 'for each user that was asked for: no devices',
    why: 'Without encryption keys the token has nobody to encrypt to. Clients ask again, without pause, about users whom the answer leaves out.',
  },
  always(
    'getKeysChanges',
    ['GET'],
    ['/_matrix/client/{v}/keys/changes'],
    ok({ changed: [], left: [] }),
    'As for keys/query.',
  ),
  always(
    'getDevices',
    ['GET'],
    ['/_matrix/client/{v}/devices'],
    ok({ devices: [] }),
    'A holder has no access to the subject’s devices.',
  ),
  always(
    'getTurnServer',
    ['GET'],
    ['/_matrix/client/{v}/voip/turnServer'],
    ok({}),
    'Calls are not supported, so there are no credentials for them.',
  ),
  always(
    'getRtcTransports',
    ['GET'],
    ['/_matrix/client/{v}/rtc/transports', '/_matrix/client/unstable/org.matrix.msc4143/rtc/transports'],
    NOT_FOUND,
    'Calls are not supported.',
    'unstable',
  ),
  always(
    'getDehydratedDevice',
    ['GET'],
    [
      '/_matrix/client/{v}/dehydrated_device',
      '/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device',
    ],
    NOT_FOUND,
    'A holder has no access to the subject’s devices.',
    'unstable',
  ),
];
