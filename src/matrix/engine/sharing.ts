import {
  CollectStrategy,
  EncryptionSettings as WasmSettings,
  type EncryptionAlgorithm,
  type HistoryVisibility,
} from '@matrix-org/matrix-sdk-crypto-wasm';
import type { Sharing } from './configuration.ts';

/** How a room's key is made and renewed, as matrix-bot-sdk fills it in. */
export class EncryptionSettings {
  algorithm: EncryptionAlgorithm | undefined;
  historyVisibility: HistoryVisibility | undefined;
  /** Milliseconds: matrix-bot-sdk passes on `rotation_period_ms` as it is. */
  rotationPeriod: bigint | undefined;
  rotationPeriodMessages: bigint | undefined;
}

/** The engine's own default and bounds, in messages. */
const DEFAULT_USES = 100n;
const MOST_USES = 10_000n;

/** How many messages a key made under these settings is good for. */
export function usesAtMost(settings: EncryptionSettings): number {
  const asked = settings.rotationPeriodMessages ?? DEFAULT_USES;
  return Number(asked < 1n ? 1n : asked > MOST_USES ? MOST_USES : asked);
}

/** The WASM's settings, which count the rotation period in microseconds. */
export function toWasmSettings(settings: EncryptionSettings, sharing: Sharing): WasmSettings {
  const result = new WasmSettings();
  if (settings.algorithm !== undefined) result.algorithm = settings.algorithm;
  if (settings.historyVisibility !== undefined) result.historyVisibility = settings.historyVisibility;
  if (settings.rotationPeriod !== undefined) result.rotationPeriod = settings.rotationPeriod * 1000n;
  if (settings.rotationPeriodMessages !== undefined)
    result.rotationPeriodMessages = settings.rotationPeriodMessages;
  result.sharingStrategy =
    sharing === 'identity' ? CollectStrategy.identityBasedStrategy() : CollectStrategy.allDevices();
  return result;
}
