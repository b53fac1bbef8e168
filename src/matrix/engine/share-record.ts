import type { Sharing } from './configuration.ts';
import { EngineError } from './errors.ts';

/**
 * Knows with whom each room's key was last shared, so that no secret is encrypted with one that went
 * further; and how often it may be used. Shares and encryptions may not overlap.
 */
export interface ShareRecord {
  /** `usesAtMost`: how many messages the key is good for. */
  during<T>(roomId: string, sharing: Sharing, usesAtMost: number, share: () => Promise<T>): Promise<T>;
  /** @throws EngineError `unsafe-share` or `room-key-used-up` */
  check(roomId: string, wanted: Sharing): void;
  /** After an encryption, with its message's index. */
  used(roomId: string, index: number): void;
}

interface Share {
  readonly isOnlySigned: boolean;
  readonly usesAtMost: number;
  uses: number;
}

export function createShareRecord(): ShareRecord {
  const shares = new Map<string, Share>();
  return {
    async during(roomId, sharing, usesAtMost, share) {
      shares.delete(roomId); // also when sharing fails half-way
      const result = await share();
      // The engine has just made sure that one more use is left, or made a new key.
      shares.set(roomId, { isOnlySigned: sharing === 'identity', usesAtMost, uses: 0 });
      return result;
    },
    check(roomId, wanted) {
      const share = shares.get(roomId);
      if (wanted === 'identity' && !share?.isOnlySigned) {
        throw new EngineError(
          'unsafe-share',
          'The key of this room may have gone to devices that their owner has not signed.',
          'Share the key again under the identity strategy, then encrypt.',
        );
      }
      // The engine would panic, which ends the process: two sends at once can meet at the last use of a key.
      if (!share || share.uses >= share.usesAtMost) {
        throw new EngineError(
          'room-key-used-up',
          'The key of this room is used up.',
          'Share a new one, then encrypt.',
        );
      }
    },
    used(roomId, index) {
      const share = shares.get(roomId);
      if (share) share.uses = index + 1;
    },
  };
}
