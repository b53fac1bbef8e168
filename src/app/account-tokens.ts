import { dirname, resolve } from 'node:path';
import { type Config, loadConfig, readConfigSource } from '../config/index.ts';
import { MintwardenError } from '../domain/errors.ts';
import { isSessionEnded } from '../matrix/homeserver-errors.ts';
import { createHomeserverClient, path, stringAt } from '../matrix/homeserver.ts';
import { loginWithPassword } from '../matrix/sessions.ts';
import type { Log } from '../ports/log.ts';
import { writePrivate } from './private-files.ts';

/** One of the two accounts. */
export type AccountName = 'bot' | 'issuer';

/** The two accounts' tokens as they are now. */
export type AccountTokens = {
  readonly bot: () => string;
  readonly issuer: () => string;
  /** Reads the configuration and its secret files again. What cannot be read stays as it was. */
  readonly reload: () => Promise<void>;
  /**
   * Logs an account whose session has ended by itself in again, as the same device, by its password: some
   * homeservers let no session live long (`session_lifetime` in Synapse). False: that is not possible now.
   */
  readonly renew: (account: AccountName) => Promise<boolean>;
  /** At the start: learns the devices of both sessions, and renews those that ended meanwhile. */
  readonly prepare: () => Promise<void>;
};

/** Remembers the device of each account's session: one that has ended does not say any more. */
export type DeviceMemory = {
  get(account: string): Promise<string | undefined>;
  set(account: string, deviceId: string): Promise<unknown>;
};

/** Whether reading again a moment later could find anything new. */
const MIN_INTERVAL_MS = 1_000;
/** A homeserver that limits logins is not asked all the time. */
const MIN_LOGIN_INTERVAL_MS = 30_000;
const NO_MEMORY: DeviceMemory = { get: async () => undefined, set: async () => undefined };

/**
 * The tokens that the service was started with, read again where the homeserver refuses one: an operator
 * replaces a file, and the service goes on.
 */
export function createAccountTokens(
  config: Config,
  env: Readonly<Record<string, string | undefined>>,
  log: Log,
  devices: DeviceMemory = NO_MEMORY,
): AccountTokens {
  const tokens = { bot: config.bot.access_token, issuer: config.issuer.access_token };
  const configured = { ...tokens };
  const triedAt = { bot: Number.NEGATIVE_INFINITY, issuer: Number.NEGATIVE_INFINITY };
  const renewing: { bot: Promise<boolean> | null; issuer: Promise<boolean> | null } = {
    bot: null,
    issuer: null,
  };
  let readAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | null = null;

  const read = async (): Promise<void> => {
    readAt = performance.now();
    try {
      const now = await loadConfig(config.file, env);
      // Another account's token is another configuration.
      if (now.bot.user_id !== config.bot.user_id || now.issuer.user_id !== config.issuer.user_id) return;
      for (const account of ['bot', 'issuer'] as const) {
        const token = now[account].access_token;
        // One that has not changed may be older than the session that we made since.
        if (token === configured[account]) continue;
        configured[account] = token;
        if (token !== tokens[account]) log.info('a new access token was read', { account });
        tokens[account] = token;
      }
    } catch {
      log.warn('the secrets could not be read again');
    }
  };

  const reload = async (): Promise<void> => {
    if (reading === null && performance.now() - readAt < MIN_INTERVAL_MS) return;
    reading ??= read().finally(() => (reading = null));
    await reading;
  };

  async function renewNow(account: AccountName): Promise<boolean> {
    const ended = tokens[account];
    await reload();
    if (tokens[account] !== ended) return true;
    const { user_id: userId, password } = config[account];
    if (performance.now() - triedAt[account] < MIN_LOGIN_INTERVAL_MS) return false;
    triedAt[account] = performance.now();
    if (password === undefined) {
      log.error('a session has ended, and there is no password to log in again with', { account });
      return false;
    }
    try {
      const deviceId = await devices.get(account);
      const name = account === 'bot' ? 'Mintwarden' : 'Mintwarden (issuer)';
      const session = await loginWithPassword(config.homeserver.url, userId, password, name, {
        ...(deviceId !== undefined && { deviceId }),
      });
      tokens[account] = session.accessToken;
      await devices.set(account, session.deviceId);
      await writeToken(account, session.accessToken);
      log.info('a session had ended, and its account was logged in again', {
        account,
        endsInMs: session.expiresInMs,
      });
      return true;
    } catch (error) {
      const problem = error instanceof MintwardenError ? error.message : 'unexpected';
      log.error('an account could not be logged in again', { account, problem });
      return tokens[account] !== ended;
    }
  }

  /** Where the token stands in no file, the next start logs in again. */
  async function writeToken(account: AccountName, token: string): Promise<void> {
    const { content, file } = await readConfigSource(config.file, env);
    const tokenFile = content[account].access_token_file;
    if (tokenFile === undefined) return;
    await writePrivate(resolve(dirname(file), tokenFile), `${token}\n`);
    configured[account] = token;
  }

  const renew = (account: AccountName): Promise<boolean> =>
    (renewing[account] ??= renewNow(account).finally(() => (renewing[account] = null)));

  async function prepare(account: AccountName): Promise<void> {
    const homeserver = createHomeserverClient({
      homeserverUrl: config.homeserver.url,
      accessToken: tokens[account],
    });
    try {
      const deviceId = stringAt(await homeserver.request('GET', path`/account/whoami`), 'device_id');
      if (deviceId !== null) await devices.set(account, deviceId);
    } catch (error) {
      // Anything else shows where the account is used.
      if (isSessionEnded(error)) await renew(account);
    }
  }

  return {
    bot: () => tokens.bot,
    issuer: () => tokens.issuer,
    reload,
    renew,
    prepare: async () => void (await Promise.all([prepare('bot'), prepare('issuer')])),
  };
}
