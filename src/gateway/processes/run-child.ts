import type { Grant } from '../../domain/grant.ts';
import type { Log } from '../../ports/log.ts';
import type { Observer } from '../seen.ts';
import { type Gateway, startGateway } from '../server.ts';
import { boardReader } from './shared-revision';
import { type LineToBot, lineToBot } from './ipc-client';
import type { FromChild, Setup, ToChild } from './messages.ts';
import { problemOf } from './ipc-error';
import { remoteAccess, type RemoteAccess } from './remote-access.ts';
import { remotePaces, remoteTransactions, sharedOwnMedia, type SharedOwnMedia } from './remote-services';

/** Where a child finds the board among its open files: after its streams and its pipe. */
export const BOARD_FD = 4;

/** News may be so old when they are read. */
const LATE_MS = 2_000;

/** What a child has of its own. */
export type ChildMeans = {
  readonly log: Log;
  readonly sentence: (grant: Grant, now: number) => string;
  /** Null: nobody counts. */
  readonly observe: Observer | null;
  /** What was counted so far, as plain data. */
  readonly numbers: () => Promise<readonly object[]>;
};

/**
 * Makes this process a gateway of the process that forked it. It ends with that one, at once: without the
 * bot's process nobody could revoke anything here. It heeds no signal of the terminal or the service manager,
 * since the bot's process does, and ends its children in order.
 */
export function serveAsChild({ log, sentence, observe, numbers }: ChildMeans): void {
  const clock = carriedClock();
  const send = (message: FromChild): void =>
    void process.send?.(message, undefined, undefined, () => undefined);
  let line: LineToBot | undefined;
  let access: RemoteAccess | undefined;
  let ownMedia: SharedOwnMedia | undefined;
  let gateway: Gateway | undefined;

  const start = async (setup: Setup, at: number): Promise<void> => {
    const bot = lineToBot(send, at, boardReader(BOARD_FD));
    const control = remoteAccess(bot, clock.now);
    line = bot;
    access = control;
    try {
      const remote = {
        transactions: remoteTransactions(bot),
        paces: remotePaces(bot),
        ownMedia: sharedOwnMedia(bot),
      };
      ({ ownMedia } = remote);
      gateway = await startGateway({
        ...setup,
        ...remote,
        access: control,
        sentence,
        ...(observe !== null && { observe }),
        clock,
        log,
      });
      send({ type: 'listening' });
    } catch (error) {
      send({ type: 'failed', problem: problemOf(error) });
    }
  };

  const end = async (): Promise<void> => {
    await gateway?.close();
    process.exit(0);
  };

  process.on('message', (message: ToChild) => {
    if (message.type === 'setup' || message.type === 'news') clock.told(message.now);
    if (message.type === 'setup') void start(message.setup, message.at);
    else if (message.type === 'close') void end();
    else if (message.type === 'made') ownMedia?.hear(message);
    else if (message.type === 'count')
      numbers().then(
        (counted) => send({ type: 'counted', numbers: counted }),
        () => undefined,
      );
    else {
      const news = line?.take(message);
      if (news === null || news === undefined) return;
      access?.hear(news);
      send({ type: 'heard' });
    }
  });
  process.once('disconnect', () => process.exit(1));
  if (!process.connected) process.exit(1);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
}

/** The bot's process's time, carried on by a clock that does not jump until it is told again. */
function carriedClock(): { readonly now: () => number; readonly told: (at: number) => void } {
  let offset = Date.now() - performance.now();
  return {
    now: () => Math.floor(performance.now() + offset),
    told: (at) => {
      const told = at - performance.now();
      // What was long on its way says a little less.
      if (told > offset || offset - told > LATE_MS) offset = told;
    },
  };
}
