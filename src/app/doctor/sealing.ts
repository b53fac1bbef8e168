import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import type { Config } from '../../config/index.ts';
import { MintwardenError } from '../../domain/errors.ts';
import { createSealer, loadKey } from '../../store/seal/index.ts';
import type { SealingKey } from '../../store/seal/sealer.ts';
import type { Inspection } from '../../store/sqlite/index.ts';
import { cryptoFolder, seedsFile } from '../paths.ts';
import { seedStore } from '../seed-store.ts';
import { fail, type Finding, ok, warn } from './finding.ts';
import { ownCommand, shellQuote } from './shell.ts';

/**
 * The key that seals, and what is sealed beside it. Secrets are opened to see whether they open, and
 * forgotten.
 * @param ledger what was seen of the ledger's file; null: there is none, or it cannot be read
 */
export async function checkSealing(config: Config, ledger: Inspection | null): Promise<readonly Finding[]> {
  const { sealing_key_file: file } = config;
  if (!existsSync(file)) {
    const sealed = await keysInUse(config, ledger);
    if (sealed.length === 0 && !existsSync(seedsFile(config)))
      return [
        warn('sealing-key', `There is no sealing key at ${file} yet; it is made at the first start.`, {
          fix: 'Start the service.',
          command: ownCommand(config, 'start'),
        }),
      ];
    const fix = `Put ${file} back from its backup, mode 600, and only then start the service: a start without it makes another key.`;
    return [fail('sealing-key', `The sealing key ${file} is lost, and secrets are sealed with it.`, { fix })];
  }
  let key: SealingKey;
  try {
    key = await loadKey(file);
  } catch (error) {
    if (!(error instanceof MintwardenError)) throw error;
    const isMode = error.hint?.startsWith('chmod') === true;
    return [
      fail(
        'sealing-key',
        error.message,
        isMode
          ? { fix: 'Take the access away.', command: `chmod 600 ${shellQuote(file)}` }
          : { fix: error.hint ?? '' },
      ),
    ];
  }
  const others = (await keysInUse(config, ledger)).filter((id) => id !== key.id);
  if (others.length > 0) {
    const fix = `Stop the service, put the key ${others.join(', ')} back at ${file} from its backup, and start it again.`;
    return [
      fail('sealing-key', `The sealing key is ${key.id}, but secrets are sealed with ${others.join(', ')}.`, {
        fix,
      }),
    ];
  }
  return [
    ok('sealing-key', `The sealing key ${key.id} is the one that secrets are sealed with.`),
    await checkSeeds(config, key),
  ];
}

async function checkSeeds(config: Config, key: SealingKey): Promise<Finding> {
  const file = seedsFile(config);
  const command = ownCommand(config, 'start');
  if (!existsSync(file)) {
    if (!existsSync(cryptoFolder(config)))
      return warn('seeds', 'The bot has no identity yet; it is made at the first start.', {
        fix: 'Start the service.',
        command,
      });
    return fail('seeds', `The bot's cross-signing keys are not saved at ${file}.`);
  }
  try {
    await seedStore(file, createSealer({ keys: [key], randomBytes })).load();
    return ok('seeds', "The bot's cross-signing keys are saved, and open with the sealing key.");
  } catch (error) {
    const said = error instanceof MintwardenError ? error.message : `${file} cannot be read.`;
    const fix = existsSync(cryptoFolder(config))
      ? 'Move the file aside and restart the service: it saves them again.'
      : 'Put it back from a backup.';
    return fail('seeds', said, { fix });
  }
}

/** The names of the keys that anything is sealed with. A ledger that is damaged says nothing of it. */
async function keysInUse(config: Config, ledger: Inspection | null): Promise<readonly string[]> {
  const saved = seedsFile(config);
  const inSeeds = existsSync(saved) ? ((await readFile(saved, 'utf8')).split('.')[1] ?? '') : '';
  return [...new Set([...(ledger?.sealedWith ?? []), ...(/^[0-9a-f]{12}$/.test(inSeeds) ? [inSeeds] : [])])];
}
