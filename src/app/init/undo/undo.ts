import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { loadConfig } from '../../../config/index.ts';
import { MintwardenError } from '../../../domain/errors.ts';
import type { UserId } from '../../../domain/ids.ts';
import { createSealer, loadKey } from '../../../store/seal/index.ts';
import { openSqliteLedger, type SqliteLedger } from '../../../store/sqlite/open.ts';
import { ledgerFile } from '../../paths.ts';
import type { Plan } from '../plan-lines.ts';
import { openRecording, readRecord } from '../record.ts';
import { connectSynapse } from './accounts.ts';
import { endGrants } from './end-grants.ts';
import { archiveName, removeFiles } from './files.ts';
import { leaveAndEndAccounts } from './leave.ts';
import { notifyEveryone } from './notify.ts';
import { buildPlan } from './plan.ts';
import { hasReached, type UndoOptions, type UndoState } from './state.ts';

const MAX_GRANTS = 100_000;

/** What would be undone, and the way to do it. Holds the ledger's lock: dispose of it. */
export type PreparedUndo = AsyncDisposable & {
  readonly plan: Plan;
  /** Accounts of which it is not known whether init made them. */
  readonly unknown: readonly UserId[];
  carryOut(decided?: { readonly deactivate?: boolean; readonly forget?: boolean }): Promise<void>;
};

/**
 * Looks at what there is to undo; changes nothing. Null: there is nothing.
 * @throws MintwardenError `state` where the service runs
 */
export async function prepareUndo(options: UndoOptions): Promise<PreparedUndo | null> {
  const directory = resolve(options.directory);
  const configFile = join(directory, 'bot.yaml');
  const record = await readRecord(directory);
  if (record === null && !existsSync(configFile)) return null;
  await using cleanup = new AsyncDisposableStack();
  const accountsGone = record !== null && hasReached({ record }, 'accounts-gone');
  const config = !accountsGone && existsSync(configFile) ? await loadConfig(configFile, process.env) : null;
  const stateDir = config?.state_dir ?? join(directory, 'state');
  const file = ledgerFile({ state_dir: stateDir });
  const ledger = existsSync(file) ? await openSqliteLedger({ file, log: options.log }) : null;
  if (ledger !== null) cleanup.defer(() => ledger.close());
  if (ledger !== null && config === null && !accountsGone)
    throw new MintwardenError(
      'state',
      `There is a ledger, but no ${configFile}: whose grants they are is not known.`,
      'Bring that file back first.',
    );
  const beginning =
    config === null
      ? null
      : {
          homeserverUrl: config.homeserver.url,
          serverName: config.homeserver.server_name,
          bot: config.bot.user_id,
          issuer: config.issuer.user_id,
          madeAccounts: [],
          liftedLimits: [],
          controlRoom: config.control_room,
          madeRoom: false,
          farewell: null,
        };
  const recording = await openRecording(directory, beginning);
  if (recording === null) return null;
  const { serverName } = recording.record;
  const found: UndoState = {
    options,
    directory,
    secretsDir: join(directory, 'secrets'),
    configFile,
    recording,
    // The configuration may have been given another address since.
    target: {
      homeserverUrl: config?.homeserver.url ?? recording.record.homeserverUrl,
      serverName,
      log: options.log,
    },
    config,
    ledger,
    stateDir,
    knowsMade: record !== null,
    archive: join(directory, archiveName(new Date())),
  };
  const live = ledger === null ? [] : await ledger.grants({ states: ['live', 'minting'], limit: MAX_GRANTS });
  const plan = buildPlan(found, live);
  const unknown = found.knowsMade || accountsGone ? [] : [recording.record.bot, recording.record.issuer];
  const atEnd = cleanup.move();
  return {
    plan,
    unknown,
    carryOut: (decided = {}) => carryOut({ ...found, options: { ...options, ...decided } }),
    [Symbol.asyncDispose]: () => atEnd.disposeAsync(),
  };
}

async function carryOut(found: UndoState): Promise<void> {
  const { recording, ledger } = found;
  const { bot, issuer } = recording.record;
  // Somebody's word, so that a later run need not ask again.
  if (!found.knowsMade && found.options.deactivate) await recording.change({ madeAccounts: [bot, issuer] });
  if (ledger !== null) await endGrants(found, ledger);
  if (ledger !== null && !hasReached(recording, 'told')) await notify(found, ledger);
  if (!hasReached(recording, 'accounts-gone')) await leaveAndEndAccounts(found);
  await ledger?.close();
  await removeFiles({ ...found, ...found.options });
  found.options.out('Everything that init made is undone.');
}

/** Tells everybody concerned, unless nobody shall be told. @throws MintwardenError where that fails */
async function notify(
  { options, config, target, recording }: UndoState,
  ledger: SqliteLedger,
): Promise<void> {
  const { out, by, log, untold } = options;
  if (config === null) return;
  if (!untold) {
    try {
      await recording.change({
        farewell: recording.record.farewell ?? `undo-${randomBytes(12).toString('hex')}`,
      });
      const sealingKey = await loadKey(config.sealing_key_file);
      const sealer = createSealer({ keys: [sealingKey], randomBytes });
      await using synapse = connectSynapse(target, config.issuer.access_token);
      await notifyEveryone({
        config,
        ledger,
        synapse,
        sealingKey,
        sealer,
        by,
        marker: recording.record.farewell ?? '',
        log,
      });
      out('Told the people concerned, and the control room.');
    } catch (error) {
      const why = error instanceof MintwardenError ? error.message : 'something unexpected went wrong';
      throw new MintwardenError(
        'state',
        `People could not be told: ${why}`,
        'Every grant has ended, and nothing was removed. Fix that and run this again, or continue without telling anybody: --untold',
        { cause: error },
      );
    }
  }
  await recording.change({ undone: 'told' });
}
