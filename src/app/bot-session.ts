import { hkdfSync } from 'node:crypto';
import type { Config } from '../config/index.ts';
import type { UserId } from '../domain/ids.ts';
import type { BotClientOptions } from '../matrix/options.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { Log } from '../ports/log.ts';
import type { Sealer } from '../ports/sealer.ts';
import { cryptoFolder, seedsFile } from './paths.ts';
import { seedStore } from './seed-store.ts';

/** Where the position in the bot's sync is kept. */
type PositionCache = {
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string): Promise<unknown>;
};

/**
 * The options of the bot's session that do not depend on who starts it; its token and its event handler are
 * added by the caller.
 */
export function botSessionOptions(
  config: Config,
  parts: {
    readonly sealingKey: Uint8Array;
    readonly sealer: Sealer;
    readonly position: PositionCache;
    readonly ledger: Pick<Ledger, 'pin'>;
    readonly log: Log;
    readonly isAdmin: (userId: UserId) => boolean;
  },
): Omit<BotClientOptions, 'accessToken' | 'onEvent'> {
  const { sealingKey, sealer, position, ledger, log, isAdmin } = parts;
  return {
    homeserverUrl: config.homeserver.url,
    userId: config.bot.user_id,
    stateDir: cryptoFolder(config),
    storeKey: Buffer.from(hkdfSync('sha256', sealingKey, '', 'mintwarden crypto store', 32)),
    seeds: seedStore(seedsFile(config), sealer),
    position: {
      load: async () => (await position.get('since')) ?? null,
      save: async (since) => void (await position.set('since', since)),
    },
    password: async () => config.bot.password ?? null,
    controlRoomId: config.control_room,
    isAdmin,
    pinnedMasterKey: async (userId) => (await ledger.pin(userId))?.masterKey ?? null,
    log,
  };
}
