import { MintwardenError } from '../../domain/errors.ts';
import type { Asked, Asks, FromChild, News, ToChild } from './messages.ts';
import { errorOf } from './ipc-error';

/** A child's end of the pipe to the bot's process. */
export type LineToBot = {
  /**
   * Asks. `apply` is called with the answer the moment it arrives, before any news that come after it.
   * @throws MintwardenError what the other end says; `state` where it has gone silent
   */
  ask<K extends Asked, T>(
    kind: K,
    asked: Asks[K]['ask'],
    apply: (answer: Asks[K]['answer']) => T,
  ): Promise<T>;
  /** Whether everything that was committed up to this moment has been heard. */
  isAbreast(): boolean;
  /** Waits until it has. @throws MintwardenError `state` where the other end has gone silent */
  abreast(): Promise<void>;
  /** Takes in what arrived. Gives the news in it, which are counted as heard when this returns. */
  take(message: ToChild): News | null;
  close(): void;
};

/**
 * The bot's process gives a sign of life four times a second. Without one for so long, nothing is waited for
 * any more.
 */
const SILENCE_MS = 1_500;
const LOOK_EVERY_MS = 250;

type Waiting = {
  readonly taken: (answer: unknown) => void;
  readonly failed: (error: MintwardenError) => void;
};

/**
 * @param startedAt the board's count when this process was set up
 * @param board reads the board
 */
export function lineToBot(
  send: (message: FromChild) => void,
  startedAt: number,
  board: () => number,
): LineToBot {
  const asked = new Map<number, Waiting>();
  let behind: Waiting[] = [];
  let heardAt = startedAt;
  let heardWhen = performance.now();
  let ids = 0;

  const silent = (): boolean => performance.now() - heardWhen > SILENCE_MS;
  const giveUp = (): void => {
    if (!silent()) return;
    const error = new MintwardenError('state', "The bot's process does not answer.", 'Try again later.');
    for (const waiting of [...asked.values(), ...behind]) waiting.failed(error);
    asked.clear();
    behind = [];
  };
  // Whoever was held up themselves looks into the pipe once more before they call the other end silent.
  const look = setInterval(() => {
    if (silent()) setImmediate(giveUp);
  }, LOOK_EVERY_MS);
  look.unref();

  const isAbreast = (): boolean => board() <= heardAt;
  return {
    isAbreast,
    ask: (kind, about, apply) =>
      new Promise((resolve, reject) => {
        const id = ++ids;
        const taken = (answer: unknown): void => resolve(apply(answer as Asks[typeof kind]['answer']));
        asked.set(id, { taken, failed: reject });
        send({ type: 'ask', id, ask: { kind, ...about } } as FromChild);
      }),
    async abreast() {
      while (!isAbreast()) {
        const { promise, resolve, reject } = Promise.withResolvers<void>();
        behind.push({ taken: () => resolve(), failed: reject });
        await promise;
      }
    },
    take(message) {
      heardWhen = performance.now();
      if (message.type === 'answer' || message.type === 'problem') {
        const waiting = asked.get(message.id);
        asked.delete(message.id);
        if (message.type === 'answer') waiting?.taken(message.answer);
        else waiting?.failed(errorOf(message.problem));
      }
      if (message.type !== 'news') return null;
      heardAt = message.at;
      const waited = behind;
      behind = [];
      // They go on when the news have been acted on: promises are settled after what runs now.
      for (const waiting of waited) waiting.taken(null);
      return message;
    },
    close: () => clearInterval(look),
  };
}
