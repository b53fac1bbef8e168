import { type Config, loadConfig } from '../config/index.ts';
import type { Log } from '../ports/log.ts';

/** The two accounts' tokens as they are now. */
export type AccountTokens = {
  readonly bot: () => string;
  readonly issuer: () => string;
  /** Reads the configuration and its secret files again. What cannot be read stays as it was. */
  readonly reload: () => Promise<void>;
};

/** Whether reading again a moment later could find anything new. */
const MIN_INTERVAL_MS = 1_000;

/**
 * The tokens that the service was started with, read again where the homeserver refuses one: an operator
 * replaces a file, and the service goes on.
 */
export function createAccountTokens(
  config: Config,
  env: Readonly<Record<string, string | undefined>>,
  log: Log,
): AccountTokens {
  let bot = config.bot.access_token;
  let issuer = config.issuer.access_token;
  let readAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | null = null;

  const read = async (): Promise<void> => {
    readAt = performance.now();
    try {
      const now = await loadConfig(config.file, env);
      // Another account's token is another configuration.
      if (now.bot.user_id !== config.bot.user_id || now.issuer.user_id !== config.issuer.user_id) return;
      if (now.bot.access_token !== bot) log.info('a new access token of the bot was read');
      if (now.issuer.access_token !== issuer) log.info('a new access token of the issuer account was read');
      bot = now.bot.access_token;
      issuer = now.issuer.access_token;
    } catch {
      log.warn('the secrets could not be read again');
    }
  };
  return {
    bot: () => bot,
    issuer: () => issuer,
    reload: async () => {
      if (reading === null && performance.now() - readAt < MIN_INTERVAL_MS) return;
      reading ??= read().finally(() => (reading = null));
      await reading;
    },
  };
}
