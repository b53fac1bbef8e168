import {
  CollectStrategy,
  EncryptionSettings as WasmSettings,
  type EncryptionAlgorithm,
  type HistoryVisibility,
} from '@matrix-org/matrix-sdk-crypto-wasm';
import type { Sharing } from './configuration.ts';
import { EngineError } from './errors.ts';

/** How a room's key is made and renewed, as matrix-bot-sdk fills it in. */
export class EncryptionSettings {
  algorithm: EncryptionAlgorithm | undefined;
  historyVisibility: HistoryVisibility | undefined;
  /** Milliseconds: matrix-bot-sdk passes on `rotation_period_ms` as it is. */
  rotationPeriod: bigint | undefined;
  rotationPeriodMessages: bigint | undefined;
}

/** The WASM's settings, which count the rotation period in microseconds. */
export function toWasmSettings(settings: EncryptionSettings, sharing: Sharing): WasmSettings {
  const result = new WasmSettings();
  if (settings.algorithm !== undefined) result.algorithm = settings.algorithm;
  if (settings.historyVisibility !== undefined) result.historyVisibility = settings.historyVisibility;
  if (settings.rotationPeriod !== undefined) result.rotationPeriod = settings.rotationPeriod * 1000n;
  if (settings.rotationPeriodMessages !== undefined) result.rotationPeriodMessages = settings.rotationPeriodMessages;
  result.sharingStrategy = sharing === 'identity' ? CollectStrategy.identityBasedStrategy() : CollectStrategy.allDevices();
  return result;
}

/** Knows with whom each room's key was last shared, so that no secret is encrypted with one that went further. */
export interface ShareRecord {
  /** `share` has to be the only share or encryption that runs. */
  during<T>(roomId: string, sharing: Sharing, share: () => Promise<T>): Promise<T>;
  /** @throws EngineError `unsafe-share` */
  check(roomId: string, wanted: Sharing): void;
}

export function createShareRecord(): ShareRecord {
  const onlySigned = new Set<string>();
  return {
    async during(roomId, sharing, share) {
      onlySigned.delete(roomId); // also when sharing fails half-way
      const result = await share();
      if (sharing === 'identity') onlySigned.add(roomId);
      return result;
    },
    check(roomId, wanted) {
      if (wanted === 'devices' || onlySigned.has(roomId)) return;
      throw new EngineError(
        'unsafe-share',
        'The key of this room may have gone to devices that their owner has not signed.',
        'Share the key again under the identity strategy, then encrypt.',
      );
    },
  };
}

/** Runs what it is given one after the other. */
export function createQueue(): <T>(run: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (run) => {
    const result = last.then(run);
    last = result.catch(() => undefined);
    return result;
  };
}
