import { join, resolve } from 'node:path';
import { parseListen, validateConfig, type Config } from '../../config/index.ts';
import { MintwardenError } from '../../domain/errors.ts';
import { parseUserId, type RoomId, type UserId } from '../../domain/ids.ts';
import { createSynapse, type Synapse } from '../../issuers/synapse/synapse.ts';
import type { Log } from '../../ports/log.ts';
import { isRunning } from '../is-running.ts';
import { secretFiles, type AccountSpec } from './account.ts';
import { resolveRoom } from './adopt-room.ts';
import { inspectHomeserver } from './answer-validators.ts';
import { configContent, type Answers } from './config-content.ts';
import { checkAdmins, checkListen, parseAdminIds, parseHomeserverUrl } from './preflight.ts';
import { loadPreviousConfig } from './previous-config.ts';
import { readRecord } from './record.ts';

const TIMEOUT_MS = 30_000;

/** What `init` is told. */
export type InitOptions = {
  readonly homeserverUrl: string;
  /** A server administrator's, used here and kept nowhere. */
  readonly adminToken: string;
  readonly publicUrl: string;
  readonly listen?: string;
  /** Where `bot.yaml`, `secrets/` and `state/` go. */
  readonly directory: string;
  readonly admins: readonly string[];
  readonly botLocalpart?: string;
  readonly issuerLocalpart?: string;
  /** Passwords of accounts that are there and shall be used. Secrets. */
  readonly botPassword?: string;
  readonly issuerPassword?: string;
  /** A room that is there and shall be used: its id or its address. */
  readonly controlRoom?: string;
  /** Overwrite an existing `bot.yaml`. */
  readonly force?: boolean;
  /** Told of each step, in sentences. */
  readonly out: (line: string) => void;
  readonly log: Log;
};

/** Everything that was found out, before anything is changed. */
export type InitState = {
  readonly options: InitOptions;
  readonly homeserverUrl: string;
  readonly directory: string;
  readonly configFile: string;
  readonly secretsDir: string;
  readonly serverName: string;
  readonly version: string;
  readonly bot: AccountSpec;
  readonly issuer: AccountSpec;
  readonly answers: Omit<Answers, 'controlRoom'>;
  readonly admins: readonly UserId[];
  readonly existing: Config | null;
  readonly kept: readonly string[];
  readonly givenRoom: RoomId | null;
};

/** Finds out what there is already; changes nothing. @throws MintwardenError */
export async function gatherState(options: InitOptions): Promise<InitState> {
  const { adminToken, log, listen = '127.0.0.1:8009' } = options;
  const homeserverUrl = parseHomeserverUrl(options.homeserverUrl);
  const directory = resolve(options.directory);
  const secretsDir = join(directory, 'secrets');
  // Not knowing yet whose homeserver it is; only what needs no name is asked.
  const { serverName, version } = await inspectHomeserver(homeserverUrl, adminToken, log);
  const bot = accountSpec(
    options.botLocalpart ?? 'mintwarden',
    serverName,
    options.botPassword ?? null,
    false,
  );
  const issuer = accountSpec(
    options.issuerLocalpart ?? 'mintwarden-issuer',
    serverName,
    options.issuerPassword ?? null,
    true,
  );
  const admins = parseAdminIds(options.admins, serverName);
  const files = { bot: secretFiles(secretsDir, bot.userId), issuer: secretFiles(secretsDir, issuer.userId) };
  const answers: Omit<Answers, 'controlRoom'> = {
    homeserverUrl,
    serverName,
    bot: { userId: bot.userId, tokenFile: files.bot.token, passwordFile: files.bot.password },
    issuer: { userId: issuer.userId, tokenFile: files.issuer.token, passwordFile: files.issuer.password },
    admins,
    listen,
    publicUrl: options.publicUrl,
  };
  const problems = validateConfig(configContent({ ...answers, controlRoom: '!not-made-yet' }, directory));
  if (problems.length > 0)
    throw new MintwardenError(
      'usage',
      problems.join('\n'),
      'Nothing was changed. mintwarden init --help shows what it takes.',
    );

  const found = {
    options,
    homeserverUrl,
    directory,
    secretsDir,
    serverName,
    version,
    bot,
    issuer,
    answers,
    admins,
  };
  await using synapse = synapseAs({ ...found }, adminToken);
  await checkAdmins(synapse.admin, admins, serverName);
  const record = await readRecord(directory);
  if (record !== null && record.undone !== 'nothing')
    throw new MintwardenError(
      'conflict',
      `${directory} is being undone.`,
      'Run mintwarden init --undo to its end first, or name another folder with --dir.',
    );
  const configFile = join(directory, 'bot.yaml');
  const kept: string[] = [];
  const existing =
    options.force === true ? null : await loadPreviousConfig(configFile, answers, (line) => kept.push(line));
  const running = isRunning({ state_dir: existing?.state_dir ?? join(directory, 'state') }, log);
  await checkListen(existing?.gateway.listen ?? parseListen(listen), running);
  const asked =
    options.controlRoom === undefined
      ? null
      : await resolveRoom(options.controlRoom, homeserverUrl, adminToken);
  if (existing !== null && asked !== null && existing.control_room !== asked)
    throw new MintwardenError(
      'conflict',
      `${configFile} names another control room, ${existing.control_room}.`,
      'Write it again with --force, or leave --control-room out.',
    );
  // One that was given to an earlier run is still the one.
  const given = asked ?? (record !== null && !record.madeRoom ? record.controlRoom : null);
  return { ...found, configFile, existing, kept, givenRoom: existing === null ? given : null };
}

/** The Synapse as the user of this token. Dispose of it. */
export function synapseAs(
  found: Pick<InitState, 'options' | 'homeserverUrl' | 'serverName' | 'bot'>,
  token: string,
): Synapse {
  const { homeserverUrl, serverName, bot, options } = found;
  return createSynapse({
    homeserverUrl,
    serverName,
    issuerToken: () => token,
    botUserId: bot.userId,
    timeoutMs: TIMEOUT_MS,
    log: options.log,
  });
}

function accountSpec(
  localpart: string,
  serverName: string,
  existingPassword: string | null,
  isIssuer: boolean,
): AccountSpec {
  // What a homeserver registers (spec appendix 4.2.1), so that no other server part can be slipped in.
  const userId = /^[a-z0-9._=/+-]+$/.test(localpart) ? parseUserId(`@${localpart}:${serverName}`) : null;
  if (userId !== null)
    return {
      userId,
      isIssuer,
      existingPassword,
      displayName: isIssuer ? 'Mintwarden (issuer)' : 'Mintwarden',
    };
  throw new MintwardenError(
    'usage',
    `"${localpart}" cannot be the name of an account.`,
    'Use small letters, digits and - . _ = / +',
  );
}
