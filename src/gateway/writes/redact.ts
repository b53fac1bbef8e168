import type { RoomId } from '../../domain/ids.ts';
import { allows } from '../../domain/scope.ts';
import { type GatewayResponse, FORBIDDEN, invalid, missingCapability } from '../http/response.ts';
import type { Call } from '../http/call.ts';
import { isObject, type JsonObject } from '../filters/json-shape.ts';
import { pathOf } from '../rewrite/path.ts';
import { isEventId } from './content-rules.ts';
import { txnIdOf } from './txn-id.ts';
import type { WriteRequest } from './write-request.ts';

const PATH = '/_matrix/client/v3/rooms/{roomId}/redact/{eventId}';
const MAX_REASON = 1_000;

/** Whether the scope lets anything be redacted: null, or the refusal. */
export function mayRedact({ access }: Call): GatewayResponse | null {
  const { scope } = access.grant;
  return allows(scope, 'redact') || allows(scope, 'redact-others') ? null : missingCapability('redact');
}

/**
 * Reads a request to redact an event. Only a reason is passed on: other fields of drafts redact what else
 * relates to it (MSC3912). State stays: emptying it would be setting it.
 */
export function parseRedaction({ params, body, access }: Call): WriteRequest | GatewayResponse {
  const { roomId = '', eventId = '' } = params;
  const { scope, subject } = access.grant;
  const txnId = txnIdOf(params);
  if (txnId === undefined) return invalid('txnId');
  if (!isEventId(eventId)) return FORBIDDEN;
  const reason = isObject(body) ? body['reason'] : null;
  if (reason !== undefined && (typeof reason !== 'string' || reason.length > MAX_REASON))
    return invalid('reason');
  const fits = (event: JsonObject): GatewayResponse | null => {
    if (event['state_key'] !== undefined) return FORBIDDEN;
    const needed = event['sender'] === subject ? 'redact' : 'redact-others';
    return allows(scope, needed) ? null : missingCapability(needed);
  };
  return {
    roomId: roomId as RoomId,
    action: `redact ${eventId}`,
    txnId,
    content: reason === undefined ? {} : { reason },
    path: pathOf(PATH, { roomId, eventId }),
    onlyUnencrypted: false,
    targets: [
      { eventId, fits, takes: (event) => (event['sender'] === subject ? [] : [{ kind: 'redact-others' }]) },
    ],
    powerActions: [{ kind: 'send', type: 'm.room.redaction', isState: false }],
  };
}
