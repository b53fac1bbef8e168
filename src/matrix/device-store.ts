import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MintwardenError } from '../domain/errors.ts';
import type { Log } from '../ports/log.ts';

/** In the folder of the encryption store: whose it is. */
const DEVICE_FILE = 'device';

/** Notes which device the encryption store is of. */
export async function recordDevice(folder: string, deviceId: string): Promise<void> {
  if ((await readDevice(folder)) !== deviceId)
    await writeFile(join(folder, DEVICE_FILE), deviceId, { mode: 0o600 });
}

/**
 * Removes the encryption store of an earlier session, since the account has logged in again: its keys are
 * of no use to another device, and must never be used again. The bot's identity, its cross-signing
 * seeds, is kept elsewhere.
 * @throws MintwardenError `state` where it does not
 */
export async function discardStoreOfOtherDevice(options: {
  readonly folder: string;
  readonly deviceId: string;
  readonly hasSeeds: () => Promise<boolean>;
  readonly log: Log;
}): Promise<void> {
  const { folder, deviceId, hasSeeds, log } = options;
  const before = await readDevice(folder);
  if (before === null || before === deviceId) return;
  if (!(await hasSeeds())) {
    throw new MintwardenError(
      'state',
      'The bot has a new session, and the cross-signing seeds that would sign it are not there.',
      'Restore the sealed seeds from a backup, then start again.',
    );
  }
  log.warn('the bot has a new session: the encryption store of the old one is removed');
  await rm(folder, { recursive: true, force: true });
}

async function readDevice(folder: string): Promise<string | null> {
  return readFile(join(folder, DEVICE_FILE), 'utf8').then(
    (text) => text.trim(),
    () => null,
  );
}
