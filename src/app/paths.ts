import { dirname, join } from 'node:path';
import type { Config } from '../config/index.ts';

/** The ledger: grants, leases, the outbox, the audit. */
export function ledgerFile(config: Pick<Config, 'state_dir'>): string {
  return join(config.state_dir, 'ledger.sqlite');
}

/** What may be lost: the position in the stream of events. */
export function cacheFile(config: Pick<Config, 'state_dir'>): string {
  return join(config.state_dir, 'cache.sqlite');
}

/** The encryption store of the bot's session. An older copy of it must never be brought back. */
export function cryptoFolder(config: Pick<Config, 'state_dir'>): string {
  return join(config.state_dir, 'crypto');
}

/**
 * The cross-signing seeds, sealed. Beside the key, not in the state: a lost state folder must not cost the
 * bot its identity.
 */
export function seedsFile(config: Pick<Config, 'sealing_key_file'>): string {
  return join(dirname(config.sealing_key_file), 'cross-signing.sealed');
}

/** The socket by which operators speak to the running service. */
export function controlSocketFile(config: Pick<Config, 'state_dir'>): string {
  return join(config.state_dir, 'control.sock');
}
