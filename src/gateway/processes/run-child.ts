import type { Grant } from '../../domain/grant.ts';
import type { Log } from '../../ports/log.ts';
import type { RequestObserver } from '../request/record.ts';
import { type Gateway, startGateway } from '../server.ts';
import { sharedRevisionReader } from './shared-revision.ts';
import { type IpcClient, createIpcClient } from './ipc-client.ts';
import type { FromChild, ChildSetup, ToChild } from './messages.ts';
import { toIpcError } from './ipc-error.ts';
import { createSharedLimits, type SharedLimits } from './shared-limits.ts';
import { DEFAULT_LIMITS } from '../limits/limits.ts';
import { createRemoteAccess, type RemoteAccess } from './remote-access.ts';
import {
  remoteRateLimiters,
  remoteTransactions,
  sharedOwnMedia,
  type SharedOwnMedia,
} from './remote-services.ts';

/** The file descriptor of the shared revision in a child: after its streams and its pipe. */
export const REVISION_FD = 4;

/** An update may be this old when it is read. */
const STALE_UPDATE_MS = 2_000;

/** What a child does not get from the bot's process. */
export type ChildOptions = {
  readonly log: Log;
  readonly sentence: (grant: Grant, now: number) => string;
  /** Null: no metrics are kept. */
  readonly observe: RequestObserver | null;
  /** The metrics so far, as plain data. */
  readonly metrics: () => Promise<readonly object[]>;
};

/**
 * Makes this process a gateway of the process that forked it. It exits with that one, at once: without the
 * bot's process nobody could revoke anything here. Signals of the terminal or the service manager are ignored:
 * the bot's process handles them, and closes its children.
 */
export function runGatewayChild({ log, sentence, observe, metrics }: ChildOptions): void {
  const clock = followedClock();
  const send = (message: FromChild): void =>
    void process.send?.(message, undefined, undefined, () => undefined);
  let client: IpcClient | undefined;
  let access: RemoteAccess | undefined;
  let ownMedia: SharedOwnMedia | undefined;
  let limits: SharedLimits | undefined;
  let gateway: Gateway | undefined;

  const start = async (setup: ChildSetup, at: number): Promise<void> => {
    const bot = createIpcClient(send, at, sharedRevisionReader(REVISION_FD));
    const control = createRemoteAccess(bot, clock.now);
    client = bot;
    access = control;
    try {
      const remote = {
        transactions: remoteTransactions(bot),
        rateLimiters: remoteRateLimiters(bot),
        uploads: sharedOwnMedia(bot),
      };
      ownMedia = remote.uploads;
      limits = createSharedLimits(bot, { ...DEFAULT_LIMITS, ...setup.limits });
      gateway = await startGateway({
        ...setup,
        ...remote,
        requestRate: limits.rate,
        slots: limits.slots,
        accessControl: control,
        sentence,
        onFiltersDiffer: () => send({ type: 'filters-differ' }),
        ...(observe !== null && { observer: observe }),
        clock,
        log,
      });
      send({ type: 'listening' });
    } catch (error) {
      send({ type: 'failed', error: toIpcError(error) });
    }
  };

  const close = async (): Promise<void> => {
    await gateway?.close();
    process.exit(0);
  };

  process.on('message', (message: ToChild) => {
    if (message.type === 'setup' || message.type === 'update') clock.follow(message.now);
    if (message.type === 'setup') void start(message.setup, message.at);
    else if (message.type === 'close') void close();
    else if (message.type === 'own-media') ownMedia?.receive(message);
    else if (message.type === 'reclaim')
      send({ ...message, count: limits?.reclaim(message) ?? 0, type: 'reclaimed' });
    else if (message.type === 'metrics')
      metrics().then(
        (counted) => send({ type: 'metrics', metrics: counted }),
        () => undefined,
      );
    else {
      const update = client?.receive(message);
      if (update === null || update === undefined) return;
      access?.applyUpdate(update);
      send({ type: 'ack' });
    }
  });
  process.once('disconnect', () => process.exit(1));
  if (!process.connected) process.exit(1);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
}

/** The bot's clock, continued between its updates by a clock that does not jump. */
function followedClock(): { readonly now: () => number; readonly follow: (at: number) => void } {
  let offset = Date.now() - performance.now();
  return {
    now: () => Math.floor(performance.now() + offset),
    follow: (at) => {
      const sent = at - performance.now();
      // An update that took long to arrive says a little less.
      if (sent > offset || offset - sent > STALE_UPDATE_MS) offset = sent;
    },
  };
}
