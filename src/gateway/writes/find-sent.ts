import type { EventId } from '../../domain/ids.ts';
import type { Transaction } from '../../ports/transactions.ts';
import { isResponse } from '../http/response.ts';
import { isObject, type JsonObject } from '../filters/json-shape.ts';
import { pathOf } from '../rewrite/path.ts';
import type { LookUp, LookUpResult } from '../upstream/look-up.ts';
import { isEventId } from './content-rules.ts';
import { digestOf, upstreamTxnId } from './txn-id.ts';

const MESSAGES = '/_matrix/client/v3/rooms/{roomId}/messages';
const PAGE = 100;
const MAX_PAGES = 5;
/** The homeserver's clock may be that much behind ours. */
const CLOCKS_MS = 120_000;

/**
 * Looks in the room for what a write came to whose answer was lost. The homeserver shows a transaction id
 * with an event only to the token that sent it; of another lease's, the sender, the action and a digest of the
 * content tell it. Null: it is not there, or too far back.
 */
export async function findSent(begun: Transaction, subject: string, lookUp: LookUp): Promise<EventId | null> {
  const txnId = upstreamTxnId(begun);
  let from: string | null = null;
  for (let page = 0; page < MAX_PAGES; page++) {
    const query: [string, string][] = [
      ['dir', 'b'],
      ['limit', String(PAGE)],
      ['filter', JSON.stringify({ senders: [subject] })],
    ];
    if (from !== null) query.push(['from', from]);
    const looked: LookUpResult = await lookUp({
      method: 'GET',
      path: pathOf(MESSAGES, { roomId: begun.roomId }),
      query,
    });
    if (isResponse(looked)) return null;
    const { response } = looked;
    if (response.status !== 200 || !isObject(response.body) || !Array.isArray(response.body['chunk']))
      return null;
    const events = (response.body['chunk'] as unknown[]).filter(isObject);
    const found = events.find((event) => isIt(event, begun, subject, txnId));
    if (found !== undefined && isEventId(found['event_id'])) return found['event_id'] as EventId;
    const older = events.some((event) => Number(event['origin_server_ts']) < begun.begunAt - CLOCKS_MS);
    if (older || typeof response.body['end'] !== 'string') return null;
    from = response.body['end'];
  }
  return null;
}

function isIt(event: JsonObject, begun: Transaction, subject: string, txnId: string): boolean {
  if (event['sender'] !== subject || event['room_id'] !== begun.roomId || event['state_key'] !== undefined)
    return false;
  const unsigned = isObject(event['unsigned']) ? event['unsigned'] : {};
  if (unsigned['transaction_id'] !== undefined) return unsigned['transaction_id'] === txnId;
  if (Number(event['origin_server_ts']) < begun.begunAt - CLOCKS_MS) return false;
  const [kind, what] = begun.action.split(' ');
  const content = isObject(event['content']) ? event['content'] : {};
  if (kind === 'redact')
    return event['type'] === 'm.room.redaction' && (content['redacts'] ?? event['redacts']) === what;
  return event['type'] === what && digestOf(begun.grantId, content) === begun.digest;
}
