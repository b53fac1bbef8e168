import { existsSync } from 'node:fs';
import { rename, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ledgerFile } from '../../paths.ts';
import { secretFiles } from '../account.ts';
import { recordFile, type Recording } from '../record.ts';

/** Ours alone; the record last, since a run that is cut off begins with it. */
export async function removeFiles(found: {
  readonly directory: string;
  readonly stateDir: string;
  readonly recording: Recording;
  readonly archive: string;
  readonly forget: boolean;
  readonly out: (line: string) => void;
}): Promise<void> {
  const { directory, recording, stateDir, archive, forget, out } = found;
  const secretsDir = join(directory, 'secrets');
  const { bot, issuer } = recording.record;
  const file = ledgerFile({ state_dir: stateDir });
  if (!forget && recording.record.undone !== 'archived' && existsSync(file)) {
    await rename(file, archive);
    out(`Kept the ledger as ${archive}.`);
  }
  if (recording.record.undone !== 'archived') await recording.change({ undone: 'archived' });
  // Another state folder, that somebody configured, may hold more than ours.
  const ours = [
    'ledger.sqlite',
    'ledger.sqlite-wal',
    'ledger.sqlite-shm',
    'ledger.sqlite.lock',
    'cache.sqlite',
    'cache.sqlite-wal',
    'cache.sqlite-shm',
    'crypto',
  ];
  if (stateDir === join(directory, 'state')) await rm(stateDir, { recursive: true, force: true });
  else for (const name of ours) await rm(join(stateDir, name), { recursive: true, force: true });
  const secrets = [bot, issuer].flatMap((userId) => Object.values(secretFiles(secretsDir, userId)));
  for (const name of [...secrets, join(secretsDir, 'sealing.key'), join(secretsDir, 'cross-signing.sealed')])
    await rm(name, { force: true });
  await rm(join(directory, 'bot.yaml'), { force: true });
  await rm(recordFile(directory), { force: true });
  // Where something else is in there, it stays.
  await rmdir(secretsDir).catch(() => undefined);
  await rmdir(directory).catch(() => undefined);
}

/** The name of the copy of the ledger that stays: no two have the same. */
export function archiveName(at: Date): string {
  return `mintwarden-ledger-${at.toISOString().slice(0, 19).replaceAll(':', '')}.sqlite`;
}
