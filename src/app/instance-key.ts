import { hkdfSync } from 'node:crypto';
import type { SealingKey } from '../store/seal/sealer.ts';

/**
 * By which the running gateway and `doctor` know each other. Nothing of the sealing key can be told from it.
 */
export function instanceKeyOf(sealingKey: SealingKey): string {
  return Buffer.from(hkdfSync('sha256', sealingKey.key, '', 'mintwarden instance', 32)).toString('hex');
}
