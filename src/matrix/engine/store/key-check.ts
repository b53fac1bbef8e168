import { createHmac, timingSafeEqual } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { EngineError } from '../errors.ts';

const NAME = 'key-check';

/**
 * Ties the file to its key at the first call and compares at later ones, so that a wrong key is told as
 * such and before anything is decrypted with it. An HMAC under a random 256-bit key tells nothing of it.
 * @throws EngineError `store-key-wrong`
 */
export function checkStoreKey(sql: DatabaseSync, key: Uint8Array): void {
  if (key.length !== 32) {
    throw new EngineError(
      'store-key-wrong',
      'The key of the encryption store is not 32 bytes long.',
      'Restore the key.',
    );
  }
  const expected = createHmac('sha256', key).update('mintwarden encryption store').digest();
  const stored = sql.prepare('SELECT value FROM meta WHERE name = ?').get(NAME)?.['value'];
  if (stored === undefined) {
    sql.prepare('INSERT INTO meta VALUES (?, ?)').run(NAME, expected);
  } else if (!(stored instanceof Uint8Array) || stored.length !== 32 || !timingSafeEqual(stored, expected)) {
    throw new EngineError(
      'store-key-wrong',
      'The key does not fit the encryption store.',
      'Restore the key the store was created with; without it the bot has to log in again.',
    );
  }
}
