import { resolve } from 'node:path';
import { EngineError } from './errors.ts';

/** What is asked of a sender's device before an event is decrypted: nothing, or that its owner signed it. */
export type TrustLevel = 'any' | 'cross-signed';

/** Who gets a room's key: devices signed by their owner only, or every device. */
export type Sharing = 'identity' | 'devices';

export interface EngineSettings {
  /** 32 random bytes; the store is encrypted with it. */
  readonly storeKey: Uint8Array;
  /** Asked at each decryption. Without it: `cross-signed` everywhere. */
  readonly trustRequirement?: (roomId: string) => TrustLevel;
  /** Asked at each share of a room key and each encryption. Without it: `identity` everywhere. */
  readonly sharingStrategy?: (roomId: string) => Sharing;
  /** Whether a room's keys are of use: any others are removed as they come. Without it: all are. */
  readonly keepsRoomKeys?: (roomId: string) => Promise<boolean>;
  /** Called when state could not be written. It should end the process; without it, the engine does. */
  readonly onFatal?: (error: EngineError) => void;
}

/**
 * matrix-bot-sdk makes the machine itself and passes on nothing but the path of the store, so what else
 * the machine needs waits here under that path.
 */
const settingsByPath = new Map<string, EngineSettings>();

/** Sets how the machine whose store is at `storagePath` behaves. Call it before the machine is made. */
export function configureEngine(storagePath: string, settings: EngineSettings): void {
  settingsByPath.set(resolve(storagePath), settings);
}

/** @throws EngineError `not-configured`: a store is never opened without a key. */
export function settingsFor(storagePath: string): EngineSettings {
  const settings = settingsByPath.get(resolve(storagePath));
  if (settings) return settings;
  throw new EngineError(
    'not-configured',
    'The encryption engine was started without its settings.',
    'Call configureEngine with the same path first.',
  );
}
