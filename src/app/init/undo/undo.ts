import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { loadConfig, type Config } from '../../../config/index.ts';
import { MintwardenError } from '../../../domain/errors.ts';
import type { Operator, UserId } from '../../../domain/ids.ts';
import type { Grant } from '../../../domain/grant.ts';
import { endEverything } from '../../../lifecycle/revocation/end-everything.ts';
import type { Log } from '../../../ports/log.ts';
import { createSealer, loadKey } from '../../../store/seal/index.ts';
import { openSqliteLedger, type SqliteLedger } from '../../../store/sqlite/open.ts';
import { utc } from '../../../words/time.ts';
import { ledgerFile } from '../../paths.ts';
import { secretFiles } from '../account.ts';
import type { Plan, PlanLine } from '../plan-lines.ts';
import { readRecord, openRecording, UNDO_STAGES, type InitRecord, type Recording } from '../record.ts';
import {
  retireAccount,
  leaveRoom,
  readSecret,
  openSession,
  connectSynapse,
  type OurAccount,
  type HomeserverTarget,
} from './accounts.ts';
import { archiveName, removeFiles } from './files.ts';
import { notifyEveryone } from './notify.ts';

const MAX_GRANTS = 100_000;
const MAX_SHOWN = 20;
const RUN_AGAIN = 'Nothing was removed. Run mintwarden init --undo again then: it goes on where it was.';

/** What undoing is told. */
export type UndoOptions = {
  readonly directory: string;
  readonly by: Operator;
  /** Makes everybody leave a control room that init made. */
  readonly close: boolean;
  /** Ends both accounts though it is not known that init made them. */
  readonly deactivate: boolean;
  /** Keeps no copy of the ledger. */
  readonly forget: boolean;
  /** Goes on though people cannot be told. */
  readonly untold: boolean;
  /** A server administrator's, where the issuer's is not good any more. A secret. */
  readonly adminToken: string | null;
  readonly out: (line: string) => void;
  readonly log: Log;
};

/** What would be undone, and the way to do it. Holds the ledger's lock: dispose of it. */
export type PreparedUndo = AsyncDisposable & {
  readonly plan: Plan;
  /** Accounts of which it is not known whether init made them. */
  readonly unknown: readonly UserId[];
  carryOut(decided?: { readonly deactivate?: boolean; readonly forget?: boolean }): Promise<void>;
};

type UndoState = {
  readonly options: UndoOptions;
  readonly directory: string;
  readonly secretsDir: string;
  readonly configFile: string;
  readonly recording: Recording;
  readonly target: HomeserverTarget;
  /** Null where a run was cut off before it was written, or once it is not needed any more. */
  readonly config: Config | null;
  readonly ledger: SqliteLedger | null;
  readonly stateDir: string;
  readonly knowsMade: boolean;
  /** Where the ledger is kept. */
  readonly archive: string;
};

/** Whether the undoing has come so far before. */
function hasReached({ record }: Recording, step: InitRecord['undone']): boolean {
  return UNDO_STAGES.indexOf(record.undone) >= UNDO_STAGES.indexOf(step);
}

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
  const accountsGone =
    record !== null && UNDO_STAGES.indexOf(record.undone) >= UNDO_STAGES.indexOf('accounts-gone');
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

function isRetired(found: UndoState, userId: UserId): boolean {
  const { recording, knowsMade, options } = found;
  return recording.record.madeAccounts.includes(userId) || (!knowsMade && options.deactivate);
}

function buildPlan(found: UndoState, live: readonly Grant[]): Plan {
  const { options, recording, ledger } = found;
  const { bot, issuer, controlRoom, madeRoom, serverName } = recording.record;
  const steps: PlanLine[] = [];
  const kept: string[] = [];
  const add = (verb: string, what: string): void => void steps.push({ verb, what });
  for (const { id, subject } of live.slice(0, MAX_SHOWN))
    add('end', `grant ${id}, for ${subject}, and its token at the homeserver`);
  if (live.length > MAX_SHOWN) add('end', `${String(live.length - MAX_SHOWN)} more grants`);
  if (ledger !== null)
    add('wait', 'until the homeserver has confirmed that every token made for others is dead');
  if (ledger !== null && !hasReached(recording, 'told')) {
    if (options.untold) add('skip', 'telling the control room and the people concerned (--untold)');
    else add('tell', 'the people concerned, and the control room');
  }
  if (controlRoom !== null && !hasReached(recording, 'left')) {
    const closes = options.close && madeRoom;
    add(
      closes ? 'close' : 'leave',
      `the control room ${controlRoom}${closes ? ': everybody is made to leave it' : ', which stays for its members'}`,
    );
  }
  for (const userId of hasReached(recording, 'accounts-gone') ? [] : [bot, issuer]) {
    if (isRetired(found, userId))
      add('end', `the account ${userId}: deactivated for good, its name stays taken`);
    else {
      add('log out', `of ${userId}`);
      kept.push(`the account ${userId}${found.knowsMade ? ', which init did not make' : ''}`);
    }
  }
  if (ledger !== null && !options.forget)
    add('keep', `the ledger with its audit, as ${found.archive} (sealed tokens in it open no more)`);
  add('remove', `${found.configFile}, ${found.secretsDir}, ${found.stateDir}`);
  return { title: `On ${serverName} init --undo will, in this order:`, steps, kept };
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

/** First of all, and whatever was reached before: while there is a ledger there may be grants. */
async function endGrants(
  { options, config, target, recording }: UndoState,
  ledger: SqliteLedger,
): Promise<void> {
  if (config === null) return;
  const { out, by, log } = options;
  const keys = await loadKey(config.sealing_key_file).then(
    (key) => [key],
    // Without it nothing opens: what may be alive is then named as such.
    () => [{ id: 'lost', key: randomBytes(32) }],
  );
  const random = { bytes: (count: number) => randomBytes(count) };
  await using synapse = connectSynapse(target, config.issuer.access_token);
  const clock = { now: () => Date.now() };
  const sealer = createSealer({ keys, randomBytes: random.bytes });
  const { ended, pending } = await endEverything(
    { ledger, issuer: synapse.issuer, sealer, clock, random, log },
    by,
  );
  if (ended > 0) out(`Ended ${ended === 1 ? '1 grant' : `${String(ended)} grants`}.`);
  if (pending.length > 0) {
    const now = clock.now();
    const named = pending.map(
      ({ grantId, subject, validUntil, lastProblem }) =>
        `  grant ${grantId}, for ${subject}: until ${utc(validUntil, now)}${lastProblem === null ? '' : ` (${lastProblem})`}`,
    );
    throw new MintwardenError(
      'homeserver-unreachable',
      [
        'Tokens at the homeserver may still be alive. Each ends by itself at its time, or when the homeserver can be asked:',
        ...named,
      ].join('\n'),
      RUN_AGAIN,
    );
  }
  if (!hasReached(recording, 'ended')) await recording.change({ undone: 'ended' });
  out('Every token made for others is dead at the homeserver.');
}

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
        'Every grant has ended, and nothing was removed. Mend it and run this again, or go on without telling anybody: --untold',
        { cause: error },
      );
    }
  }
  await recording.change({ undone: 'told' });
}

async function leaveAndEndAccounts(found: UndoState): Promise<void> {
  const { options, recording, target } = found;
  const { out } = options;
  const { bot, issuer, controlRoom, madeRoom, liftedLimits } = recording.record;
  const [asBot, asIssuer] = await Promise.all([
    ourAccount(found, 'bot', bot),
    ourAccount(found, 'issuer', issuer),
  ]);
  const session = await openSession(target, asIssuer);
  // Ending it is the last thing that is done with it, and it was open right before: everything else was done.
  if (session.kind === 'gone' || (session.kind === 'shut' && hasReached(recording, 'issuer-going'))) {
    await recording.change({ undone: 'accounts-gone' });
    return;
  }
  const issuerToken = session.kind === 'open' ? session.token : null;
  const rights = issuerToken ?? options.adminToken;
  if (rights === null && recording.record.madeAccounts.length > 0)
    throw new MintwardenError(
      'homeserver-refused',
      `${issuer} cannot log in any more, so that nobody may end the accounts.`,
      'Give a server administrator’s token by --admin-token-file or $MINTWARDEN_ADMIN_TOKEN.',
    );
  if (rights === null) {
    await recording.change({ undone: 'accounts-gone' });
    return;
  }
  await using synapse = connectSynapse(target, rights);
  if (controlRoom !== null && !hasReached(recording, 'left')) {
    if (options.close && madeRoom) await synapse.admin.emptyRoom(controlRoom);
    const botSession = await openSession(target, asBot);
    if (botSession.kind === 'open') await leaveRoom(target, botSession.token, controlRoom);
    out(options.close && madeRoom ? `Closed ${controlRoom}.` : `${bot} has left ${controlRoom}.`);
  }
  if (!hasReached(recording, 'left')) await recording.change({ undone: 'left' });
  if (!hasReached(recording, 'bot-gone')) {
    out(
      await retireAccount(target, synapse, asBot, {
        deactivate: isRetired(found, bot),
        restoreLimit: liftedLimits.includes(bot),
      }),
    );
    await recording.change({ undone: 'bot-gone' });
  }
  if (issuerToken !== null) await recording.change({ undone: 'issuer-going' });
  out(
    await retireAccount(
      target,
      synapse,
      { ...asIssuer, token: issuerToken },
      { deactivate: isRetired(found, issuer), restoreLimit: false },
    ),
  );
  await recording.change({ undone: 'accounts-gone' });
}

/**
 * What opens an account: from the configuration, or from the files that a run wrote which was cut off before
 * that.
 */
async function ourAccount(
  { config, secretsDir }: UndoState,
  which: 'bot' | 'issuer',
  userId: UserId,
): Promise<OurAccount> {
  const files = secretFiles(secretsDir, userId);
  return {
    userId,
    token: config?.[which].access_token ?? (await readSecret(files.token)),
    password: config?.[which].password ?? (await readSecret(files.password)),
  };
}
