import { MintwardenError } from '../../domain/errors.ts';
import { fromIpcError } from './ipc-error.ts';
import type { FromChild, IpcMethod, IpcMethods, ToChild, Update } from './messages.ts';

/** A child's connection to the bot's process. */
export type IpcClient = {
  /**
   * Calls a method. `apply` runs the moment the result arrives, before any update that comes after it, and also
   * where that is so late that the caller was given an error.
   * @throws MintwardenError the other end's error; `state` where it is silent
   */
  call<K extends IpcMethod, T>(
    kind: K,
    params: IpcMethods[K]['params'],
    apply: (result: IpcMethods[K]['result']) => T,
  ): Promise<T>;
  /** Whether everything committed so far has been received. */
  isCurrent(): boolean;
  /** Waits until it has. @throws MintwardenError `state` where the other end is silent */
  waitUntilCurrent(): Promise<void>;
  /** Takes in a message. Returns the update in it, which is applied before this process does anything else. */
  receive(message: ToChild): Update | null;
  close(): void;
};

/** The bot's process sends a heartbeat four times a second. Without one for so long, calls fail. */
const SILENT_AFTER_MS = 1_500;
const CHECK_EVERY_MS = 250;

type Pending = {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: MintwardenError) => void;
};

/**
 * @param startedAt the shared revision when this process was set up
 * @param sharedRevision reads it
 */
export function createIpcClient(
  send: (message: FromChild) => void,
  startedAt: number,
  sharedRevision: () => number,
): IpcClient {
  const calls = new Map<number, Pending>();
  let waiting: Pending[] = [];
  let revision = startedAt;
  let heardAt = performance.now();
  let ids = 0;

  const isSilent = (): boolean => performance.now() - heardAt > SILENT_AFTER_MS;
  const rejectAll = (): void => {
    if (!isSilent()) return;
    const error = new MintwardenError('state', "The bot's process does not answer.", 'Try again later.');
    // The calls stay: what the bot's process does for them later is still taken in, by their `apply`.
    for (const pending of [...calls.values(), ...waiting]) pending.reject(error);
    waiting = [];
  };
  // This process may have been held up itself: what arrived meanwhile is read first.
  const check = setInterval(() => {
    if (isSilent()) setImmediate(rejectAll);
  }, CHECK_EVERY_MS);
  check.unref();

  const isCurrent = (): boolean => sharedRevision() <= revision;
  return {
    isCurrent,
    call: (kind, params, apply) =>
      new Promise((resolve, reject) => {
        const id = ++ids;
        const settle = (result: unknown): void => resolve(apply(result as IpcMethods[typeof kind]['result']));
        calls.set(id, { resolve: settle, reject });
        send({ type: 'call', id, call: { kind, ...params } } as FromChild);
      }),
    async waitUntilCurrent() {
      while (!isCurrent()) {
        const { promise, resolve, reject } = Promise.withResolvers<void>();
        waiting.push({ resolve: () => resolve(), reject });
        await promise;
      }
    },
    receive(message) {
      heardAt = performance.now();
      if (message.type === 'result' || message.type === 'error') {
        const pending = calls.get(message.id);
        calls.delete(message.id);
        if (message.type === 'result') pending?.resolve(message.result);
        else pending?.reject(fromIpcError(message.error));
      }
      if (message.type !== 'update') return null;
      revision = message.at;
      const waited = waiting;
      waiting = [];
      // They continue once the update has been applied: promises are settled after what runs now.
      for (const pending of waited) pending.resolve(null);
      return message;
    },
    close: () => clearInterval(check),
  };
}
