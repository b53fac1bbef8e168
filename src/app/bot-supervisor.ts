import { setTimeout as sleep } from 'node:timers/promises';
import { MintwardenError } from '../domain/errors.ts';
import type { UserId } from '../domain/ids.ts';
import type { Incidents } from '../lifecycle/incidents/incidents.ts';
import { isLoggedOut, isSessionEnded } from '../matrix/homeserver-errors.ts';
import type { BotClient } from '../matrix/bot-client.ts';
import type { Chat } from '../ports/chat.ts';
import type { Log } from '../ports/log.ts';
import type { AccountTokens } from './account-tokens.ts';

/** What a bot reports to its supervisor. */
export type BotHooks = {
  readonly onLoggedOut: (hasSessionEnded?: boolean) => void;
  readonly onFatal: () => void;
};

/** The bot, restarted when it stops; the rest of the service keeps running meanwhile. */
export type SupervisedBot = {
  /** The bot's chat. While there is no bot its methods throw `homeserver-unreachable`: try again. */
  readonly chat: Chat;
  /** When news last came, epoch ms; 0: never by the bot that runs now. */
  syncedAt(): number;
  stop(): Promise<void>;
};

/** What the supervisor needs. */
export type SupervisorOptions = {
  readonly userId: UserId;
  readonly open: (token: string, hooks: BotHooks) => Promise<BotClient>;
  readonly tokens: Pick<AccountTokens, 'bot' | 'reload' | 'renew'>;
  readonly incidents: Incidents;
  /** The disk was full. */
  readonly onFatal: () => void;
  readonly log: Log;
};

const RETRY_MS = 2_000;
const MAX_RETRY_MS = 8_000;
/** A token that was refused is tried again all the same: the homeserver may have been restored. */
const SAME_TOKEN_RETRY_MS = 30_000;

/**
 * Starts the bot, and again whenever it was logged out (with the token that its file holds by then) or its
 * encryption store could not be written (once that can be). Being logged out at the start is no error: what
 * needs no bot works.
 * @throws MintwardenError as `startBotClient`, for whatever else is wrong at the start
 */
export async function superviseBot(options: SupervisorOptions): Promise<SupervisedBot> {
  const { open, tokens, incidents, log } = options;
  const stopping = new AbortController();
  let current: BotClient | null = null;
  let deviceId = '';
  let recovery: Promise<void> = Promise.resolve();

  const unavailable = (): MintwardenError =>
    new MintwardenError(
      'homeserver-unreachable',
      'The bot is not logged in, or is being started again.',
      'It is tried again.',
    );

  async function connect(): Promise<void> {
    const token = tokens.bot();
    const matrix: BotClient = await open(token, {
      onLoggedOut: (hasSessionEnded = false) => onLost(matrix, reportLoggedOut, token, hasSessionEnded),
      onFatal: () => onLost(matrix, () => reportStoreFailure(), null),
    });
    if (stopping.signal.aborted) return matrix.stop();
    current = matrix;
    ({ deviceId } = matrix);
    incidents.resolve('bot-logged-out');
    incidents.resolve('bot-stopped');
  }

  function reportLoggedOut(): void {
    incidents.open(
      'bot-logged-out',
      'The bot is logged out: the homeserver does not know its access token any more. It hears no commands and tells nobody anything; the gateway, and grants that end, go on.',
      'Run `mintwarden init` again, or put a new token of the bot into its file: it is read again by itself.',
    );
  }

  function reportStoreFailure(): void {
    incidents.open(
      'bot-stopped',
      'The bot’s encryption state could not be written to the disk, so it says and hears nothing; the gateway, and grants that end, go on.',
      'Free some space on the disk of the state folder; it goes on by itself.',
    );
    options.onFatal();
  }

  /**
   * @param refused the token that no longer counts; null: it is not the token
   * @param hasSessionEnded its time was over: nothing is wrong where the account can be logged in again
   */
  function onLost(
    matrix: BotClient | undefined,
    say: () => void,
    refused: string | null,
    hasSessionEnded = false,
  ): void {
    if (stopping.signal.aborted || (matrix !== undefined && current !== matrix)) return;
    current = null;
    if (!hasSessionEnded) say();
    // Not awaited: the caller is a part of the bot that is being stopped.
    recovery = recovery.then(async () => {
      await matrix?.stop().catch(() => log.warn('the bot could not be stopped in order'));
      if (hasSessionEnded && !(await tokens.renew('bot'))) say();
      await recover(refused);
    });
  }

  async function recover(refused: string | null): Promise<void> {
    let triedAt = performance.now();
    let waitMs = RETRY_MS;
    while (!stopping.signal.aborted && current === null) {
      await sleep(waitMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (stopping.signal.aborted) return;
      if (refused !== null) {
        await tokens.reload();
        if (tokens.bot() === refused && performance.now() - triedAt < SAME_TOKEN_RETRY_MS) continue;
      }
      triedAt = performance.now();
      try {
        await connect();
        log.info('the bot is back');
      } catch (error) {
        if (isLoggedOut(error)) {
          refused = tokens.bot();
          if (!isSessionEnded(error) || !(await tokens.renew('bot'))) reportLoggedOut();
        }
        waitMs = Math.min(MAX_RETRY_MS, waitMs * 1.5);
        log.warn('the bot could not be started', {
          problem: error instanceof MintwardenError ? error.message : 'unexpected',
        });
      }
    }
  }

  try {
    await connect();
  } catch (error) {
    if (!isLoggedOut(error)) throw error;
    onLost(undefined, reportLoggedOut, tokens.bot(), isSessionEnded(error));
  }

  const forward = <A extends unknown[], T>(call: (chat: Chat) => (...args: A) => Promise<T>) => {
    return async (...args: A): Promise<T> => {
      const matrix = current;
      if (matrix === null) throw unavailable();
      try {
        return await call(matrix.chat)(...args);
      } catch (error) {
        // The bot was lost during the call: report that, so that the caller tries again.
        throw current === matrix ? error : unavailable();
      }
    };
  };
  const chat: Chat = {
    userId: options.userId,
    get deviceId() {
      return deviceId;
    },
    send: forward((to) => to.send.bind(to)),
    redact: forward((to) => to.redact.bind(to)),
    findByMarker: forward((to) => to.findByMarker.bind(to)),
    dm: forward((to) => to.dm.bind(to)),
    openDm: forward((to) => to.openDm.bind(to)),
    keys: forward((to) => to.keys.bind(to)),
    hasRead: forward((to) => to.hasRead.bind(to)),
    controlRoom: forward((to) => to.controlRoom.bind(to)),
    rejoinControlRoom: forward((to) => async () => to.rejoinControlRoom?.()),
    controlRoomPredecessors: forward((to) => to.controlRoomPredecessors.bind(to)),
  };
  return {
    chat,
    syncedAt: () => current?.syncedAt() ?? 0,
    async stop() {
      stopping.abort();
      const last = current;
      current = null;
      await last?.stop();
      await recovery;
    },
  };
}
