import type { Pin } from '../../domain/change.ts';
import type { Dm, Keys } from '../../ports/chat.ts';

/** Why a token is not sent yet. */
export type WaitingFor = 'not-joined' | 'no-signed-device' | 'room-unsafe' | 'identity-changed';

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
 * By what way the subject is told. Server notices where the bot cannot reach them (ignored) or they have no
 * encryption; otherwise the DM, encrypted wherever they have keys.
 */
export function noticeChannel(facts: {
  readonly ignoresBot: boolean;
  readonly devices: number;
  readonly hasServerNotices: boolean;
}): 'server-notice' | 'encrypted-dm' | 'plain-dm' {
  if (facts.hasServerNotices && (facts.ignoresBot || facts.devices === 0)) return 'server-notice';
  return facts.devices > 0 ? 'encrypted-dm' : 'plain-dm';
}
