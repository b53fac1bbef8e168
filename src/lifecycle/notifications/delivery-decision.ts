import type { Pin } from '../../domain/change.ts';
import type { Dm, Keys } from '../../ports/chat.ts';

/** Why a token is not sent yet. */
export type WaitingFor =
  | 'not-joined'
  | 'invite-refused'
  | 'no-signed-device'
  | 'room-unsafe'
  | 'identity-changed';

/**
 * Whether a token may be sent into a DM as things stand: encrypted, the two alone, the recipient there, with
 * a signed device, and with the identity that was first seen. Null: it may.
 */
export function tokenObstacle(dm: Dm, keys: Keys, pin: Pin | null): WaitingFor | null {
  if (keys.isReplaced || (pin !== null && keys.masterKey !== null && pin.masterKey !== keys.masterKey))
    return 'identity-changed';
  if (keys.masterKey === null || keys.signedDevices < 1) return 'no-signed-device';
  if (!dm.encrypted) return 'room-unsafe';
  if (dm.membership !== 'join') return 'not-joined';
  return dm.justTheTwo ? null : 'room-unsafe';
}

/**
 * By what way the subject is told. Server notices where their settings refuse the bot or they have no
 * encryption; otherwise the DM, encrypted wherever they have keys. Null: no way reaches them.
 */
export function noticeChannel(facts: {
  readonly refusesBot: boolean;
  readonly devices: number;
  readonly noticesReach: boolean;
}): 'server-notice' | 'encrypted-dm' | 'plain-dm' | null {
  if (facts.noticesReach && (facts.refusesBot || facts.devices === 0)) return 'server-notice';
  if (facts.refusesBot) return null;
  return facts.devices > 0 ? 'encrypted-dm' : 'plain-dm';
}
