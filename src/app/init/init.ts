import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { stringify } from 'yaml';
import { loadConfig, validateConfig, type Config } from '../../config/index.ts';
import { MintwardenError } from '../../domain/errors.ts';
import { parseUserId, type RoomId, type UserId } from '../../domain/ids.ts';
import { createSynapse, type Synapse } from '../../issuers/synapse/synapse.ts';
import { createControlRoom } from '../../matrix/accounts.ts';
import type { Log } from '../../ports/log.ts';
import { cryptoFolder, seedsFile } from '../paths.ts';
import { privateFolder, writePrivate } from '../private-files.ts';
import {
  ensureAccount,
  inspectAccount,
  secretFiles,
  type AccountState,
  type AccountSpec,
} from './account.ts';
import { configContent, type Answers } from './config-content.ts';
import { loadPreviousConfig } from './previous-config.ts';
import { checkAdoptable, joinAdoptedRoom, resolveRoom } from './adopt-room.ts';
import type { Plan, PlanLine } from './plan.ts';
import { parseAdminIds, checkAdmins, parseHomeserverUrl } from './preflight.ts';
import { readRecord, openRecording } from './record.ts';
import { inspectHomeserver } from './answer-validators.ts';

const TIMEOUT_MS = 30_000;
const HEADER = `# Made by mintwarden init. Every key is explained in bot.example.yaml; mintwarden doctor checks this file.
`;

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
  /** Write `bot.yaml` anew where there is one. */
  readonly force?: boolean;
  /** Told of each step, in sentences. */
  readonly out: (line: string) => void;
  readonly log: Log;
};

/** What there is afterwards. */
export type InitResult = {
  readonly configFile: string;
  readonly controlRoom: RoomId;
  readonly botUserId: UserId;
  readonly issuerUserId: UserId;
};

/** What would be done, and the way to do it. Until `carryOut` nothing is changed anywhere. */
export type PreparedInit = { readonly plan: Plan; carryOut(): Promise<InitResult> };

/** Everything that was found out, before anything is changed. */
type InitState = {
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

/** Prepares and carries out, without asking anybody. @throws MintwardenError as `prepareInit` */
export async function init(options: InitOptions): Promise<InitResult> {
  return (await prepareInit(options)).carryOut();
}

/**
 * Looks at everything that setting Mintwarden up needs, and at what an earlier run has made, and says what is
 * left to do: two accounts, their sessions, secrets, the control room, the configuration. Changes nothing.
 * @throws MintwardenError that says what stands in the way and what to do
 */
export async function prepareInit(options: InitOptions): Promise<PreparedInit> {
  const found = await gatherState(options);
  await using synapse = synapseAs(found, options.adminToken);
  const bot = await inspectAccount(found.bot, synapse.admin, found.secretsDir);
  const issuer = await inspectAccount(found.issuer, synapse.admin, found.secretsDir);
  const isLimited = !bot.exists || (await isRateLimited(synapse, found.bot.userId));
  const botIsIn =
    found.givenRoom === null ? false : await checkAdoptable(synapse.admin, found.givenRoom, found.bot.userId);
  return { plan: buildPlan(found, { bot, issuer, isLimited, botIsIn }), carryOut: () => carryOut(found) };
}

async function gatherState(options: InitOptions): Promise<InitState> {
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
  const asked =
    options.controlRoom === undefined
      ? null
      : await resolveRoom(options.controlRoom, homeserverUrl, adminToken);
  if (existing !== null && asked !== null && existing.control_room !== asked)
    throw new MintwardenError(
      'conflict',
      `${configFile} names another control room, ${existing.control_room}.`,
      'Write it anew with --force, or leave --control-room out.',
    );
  // One that was given to an earlier run is still the one.
  const given = asked ?? (record !== null && !record.madeRoom ? record.controlRoom : null);
  return { ...found, configFile, existing, kept, givenRoom: existing === null ? given : null };
}

function buildPlan(
  found: InitState,
  look: {
    readonly bot: AccountState;
    readonly issuer: AccountState;
    readonly isLimited: boolean;
    readonly botIsIn: boolean;
  },
): Plan {
  const { bot, issuer, existing, givenRoom, admins, secretsDir, configFile } = found;
  const renewed = existing !== null && areKeysLost(existing);
  const steps: PlanLine[] = [];
  const kept: string[] = [...found.kept];
  const account = ({ userId, isIssuer }: AccountSpec, { exists, session }: AccountState): void => {
    const what = isIssuer
      ? ', a server administrator, which makes tokens and never chats'
      : ', which chats and is no administrator';
    if (exists) kept.push(`the account ${userId}`);
    else steps.push({ verb: 'make', what: `the account ${userId}${what}` });
    if (session === null || (renewed && !isIssuer)) {
      const { password, token } = secretFiles(secretsDir, userId);
      steps.push({
        verb: 'log in',
        what: `${userId}${renewed && !isIssuer ? ' anew, since the keys of its session are lost' : ''}`,
      });
      steps.push({ verb: 'write', what: `${exists ? '' : `${password}, `}${token} (readable by you alone)` });
    }
  };
  account(bot, look.bot);
  if (look.isLimited)
    steps.push({ verb: 'lift', what: `the rate limit of ${bot.userId}, so that a notice never has to wait` });
  account(issuer, look.issuer);
  if (existing !== null) kept.push(`the control room ${existing.control_room}`);
  else if (givenRoom !== null) {
    kept.push(
      `the room ${givenRoom}, which becomes the control room; you invite the admins who are missing there`,
    );
    if (!look.botIsIn) steps.push({ verb: 'join', what: `${givenRoom} as ${bot.userId}` });
  } else {
    const again = look.bot.session === null ? '' : ' (or find the one that an earlier run made)';
    steps.push({
      verb: 'make',
      what: `the control room: private, encrypted, by invitation; admins have full power in it${again}`,
    });
    steps.push({ verb: 'invite', what: admins.join(', ') });
  }
  if (existing === null)
    steps.push({
      verb: 'write',
      what: `${configFile}${existsSync(configFile) ? ', in place of the one that is there' : ''}`,
    });
  return { title: `On ${found.serverName} (Synapse ${found.version}) init will:`, steps, kept };
}

async function carryOut(found: InitState): Promise<InitResult> {
  const {
    options,
    homeserverUrl,
    directory,
    configFile,
    secretsDir,
    serverName,
    bot,
    issuer,
    answers,
    admins,
    existing,
    givenRoom,
  } = found;
  const { adminToken, out } = options;
  out(`${serverName} is a Synapse ${found.version}, and the token is an administrator's.`);
  for (const line of found.kept) out(line);
  await privateFolder(directory);
  await privateFolder(secretsDir);
  await privateFolder(join(directory, 'state'));
  const nothing = { madeAccounts: [], liftedLimits: [], controlRoom: null, madeRoom: false, farewell: null };
  const beginning =
    existing === null
      ? { homeserverUrl, serverName, bot: bot.userId, issuer: issuer.userId, ...nothing }
      : null;
  const recording = await openRecording(directory, beginning);
  await recording?.change({ homeserverUrl, serverName, bot: bot.userId, issuer: issuer.userId });

  await using asAdmin = synapseAs(found, adminToken);
  const common = { admin: asAdmin.admin, homeserverUrl, secretsDir, newPassword, recording, out };
  const botToken = await ensureAccount({
    ...common,
    wanted: bot,
    sessionLost: existing !== null && areKeysLost(existing),
  });
  if (await isRateLimited(asAdmin, bot.userId)) {
    if (recording !== null)
      await recording.change({ liftedLimits: [...new Set([...recording.record.liftedLimits, bot.userId])] });
    await asAdmin.admin.liftRateLimit(bot.userId);
    out(`Lifted the rate limits of ${bot.userId}: a notice must not have to wait.`);
  }
  const issuerToken = await ensureAccount({ ...common, wanted: issuer });
  await using asIssuer = synapseAs(found, issuerToken);
  if (!(await asIssuer.admin.isAdmin())) {
    throw new MintwardenError(
      'homeserver-refused',
      `${issuer.userId} has no right to the admin API, though it is an administrator.`,
      'Look at the homeserver.',
    );
  }

  let controlRoom = existing?.control_room ?? givenRoom;
  if (givenRoom !== null) {
    await joinAdoptedRoom({ homeserverUrl, adminToken, botToken, botUserId: bot.userId, roomId: givenRoom });
    await recording?.change({ controlRoom: givenRoom, madeRoom: false });
  }
  controlRoom ??= await createControlRoom({
    homeserverUrl,
    accessToken: botToken,
    userId: bot.userId,
    admins,
    name: 'Mintwarden control room',
  });
  const isMade = existing === null && givenRoom === null;
  if (isMade) await recording?.change({ controlRoom, madeRoom: true });
  out(`The control room is ${controlRoom}.${isMade ? ` Invited: ${admins.join(', ')}.` : ''}`);

  if (existing === null) {
    await writePrivate(
      configFile,
      HEADER + stringify(configContent({ ...answers, controlRoom }, directory), { lineWidth: 0 }),
    );
    out(`Wrote ${configFile}.`);
  }
  await loadConfig(configFile, {});
  return { configFile, controlRoom, botUserId: bot.userId, issuerUserId: issuer.userId };
}

/** The bot has run, since its cross-signing seeds are there, but the keys of its session are not. */
function areKeysLost(config: Config): boolean {
  return existsSync(seedsFile(config)) && !existsSync(cryptoFolder(config));
}

async function isRateLimited({ admin }: Synapse, userId: UserId): Promise<boolean> {
  const limit = await admin.rateLimit(userId);
  return limit === null || limit.messagesPerSecond !== 0 || limit.burstCount !== 0;
}

function synapseAs(
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

function newPassword(): string {
  return randomBytes(32).toString('base64url');
}
