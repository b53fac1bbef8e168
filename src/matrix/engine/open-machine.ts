import * as wasm from '@matrix-org/matrix-sdk-crypto-wasm';
import { settingsFor, type EngineSettings } from './configuration.ts';
import { stopProcess, writeFailed } from './fatal.ts';
import { createGuard, type Guard } from './guard.ts';
import { openStore, type OpenStore } from './store/open-store.ts';
import { toEngineError } from './wasm-errors.ts';

export interface OpenMachine {
  readonly machine: wasm.OlmMachine;
  readonly store: OpenStore;
  readonly guard: Guard;
  readonly settings: EngineSettings;
}

/** What the Rust engine logs is for its developers, and names users, devices and sessions. */
const silent: wasm.JsLogger = { debug() {}, info() {}, warn() {}, error() {} };

/**
 * Opens the store at `storagePath` and the account in it.
 * @throws EngineError `not-configured`, `store-…`, or `engine` when the store is another device's
 */
export async function openMachine(
  userId: wasm.UserId,
  deviceId: wasm.DeviceId,
  storagePath: string,
): Promise<OpenMachine> {
  const settings = settingsFor(storagePath);
  const guard = createGuard();
  const stop = settings.onFatal ?? stopProcess;
  const onFailure = (cause: unknown): void => {
    if (guard.isClosed) return; // as after a crash: nobody hears of what was not written
    const error = writeFailed(cause);
    guard.break(error);
    stop(error);
  };
  const store = await guard.run(() => openStore(storagePath, settings.storeKey, silent, onFailure));
  try {
    const machine = await guard.run(() =>
      wasm.OlmMachine.initFromStore(userId, deviceId, store.handle, silent),
    );
    // Nobody may be asked for a room key, nor given one, past what is shared at encryption.
    machine.roomKeyRequestsEnabled = false;
    machine.roomKeyForwardingEnabled = false;
    return { machine, store, guard, settings };
  } catch (error) {
    store.close();
    throw toEngineError(error);
  }
}
