import { EngineError } from './errors.ts';
import { toEngineError } from './wasm-errors.ts';

/** Runs operations of the engine until it is broken or closed; from then on all of them fail. */
export interface Guard {
  run<T>(operation: () => Promise<T> | T): Promise<T>;
  /** Fails all operations, those under way too: one whose commit failed never ends by itself. */
  break(error: EngineError): void;
  /** Refuses new operations and waits for those under way. */
  close(): Promise<void>;
  readonly isClosed: boolean;
  /** A write has failed, whether or not it was closed since. */
  readonly isBroken: boolean;
}

export function createGuard(): Guard {
  let refusal: EngineError | undefined;
  let isBroken = false;
  const underWay = new Map<Promise<unknown>, (error: EngineError) => void>();
  return {
    get isClosed() {
      return refusal?.code === 'closed';
    },
    get isBroken() {
      return isBroken;
    },
    break(error) {
      isBroken = true;
      refusal ??= error;
      for (const reject of underWay.values()) reject(refusal);
    },
    async close() {
      refusal ??= new EngineError('closed', 'The encryption engine is closed.', 'Open it again.');
      await Promise.allSettled(underWay.keys());
    },
    async run(operation) {
      if (refusal) throw refusal;
      const { promise: broken, reject } = Promise.withResolvers<never>();
      const outcome = Promise.race([operation(), broken]);
      underWay.set(outcome, reject);
      try {
        return await outcome;
      } catch (error) {
        throw toEngineError(error);
      } finally {
        underWay.delete(outcome);
      }
    },
  };
}
