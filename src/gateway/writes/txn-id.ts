import { createHash } from 'node:crypto';
import { isObject } from '../filters/json-shape.ts';
import type { TransactionKey } from '../../ports/transactions.ts';

const MAX_TXN_ID = 255;

/** The holder's transaction id: null where the path has none, undefined where it is not taken. */
export function txnIdOf(params: Readonly<Record<string, string>>): string | null | undefined {
  const txnId = params['txnId'];
  if (txnId === undefined) return null;
  return txnId !== '' && txnId.length <= MAX_TXN_ID ? txnId : undefined;
}

/** The transaction id the homeserver is given: of this grant alone, the same each time. */
export function upstreamTxnId({ grantId, roomId, action, txnId }: TransactionKey): string {
  const hash = createHash('sha256').update(JSON.stringify([grantId, roomId, action, txnId]));
  return `mw${hash.digest('base64url').slice(0, 32)}`;
}

/**
 * A digest of what is sent, whatever the order of its keys: another content under a known id is noticed
 * without keeping any.
 */
export function digestOf(grantId: string, content: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify([grantId, sorted(content)]))
    .digest('base64url');
}

/** The homeserver gives the keys back in another order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  const keys = Object.keys(value).toSorted();
  return { entries: keys.map((key) => [key, sorted(value[key])]) };
}
