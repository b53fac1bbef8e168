import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { stringify } from 'yaml';
import { loadConfig, problemsOf, type Config } from '../../config/index.ts';
import { MintwardenError } from '../../domain/errors.ts';
import { parseUserId, serverOf, type RoomId, type UserId } from '../../domain/ids.ts';
import { createSynapse } from '../../issuers/synapse/synapse.ts';
import { createControlRoom } from '../../matrix/accounts.ts';
import type { Log } from '../../ports/log.ts';
import { cryptoFolder, seedsFile } from '../places.ts';
import { ensureAccount, secretFiles } from './account.ts';
import { configContent, type Answers } from './config-text.ts';
import { checkAdmins, preflight, requireAdmin } from './preflight.ts';
import { privateFolder, writePrivate } from '../private-files.ts';

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

/**
 * Sets Mintwarden up: two accounts, their sessions, secrets, the control room, the configuration. Each
 * step looks first at what is there, so that a second run does no harm and one that was cut off goes on;
 * `bot.yaml` comes last.
 * @throws MintwardenError that says what stands in the way and what to do
 */
export async function init(options: InitOptions): Promise<InitResult> {
  const { adminToken, out, listen = '127.0.0.1:8009' } = options;
  const homeserverUrl = httpUrl(options.homeserverUrl).replace(/\/+$/, '');
  const directory = resolve(options.directory);
  const configFile = join(directory, 'bot.yaml');
  const secretsDir = join(directory, 'secrets');

  // Not knowing yet whose homeserver it is; only what needs no name is asked.
  await using unnamed = synapseAs(options, homeserverUrl, 'unknown.invalid', '@nobody:unknown.invalid' as UserId, adminToken);
  const { adminUserId, version } = await preflight(unnamed.admin, homeserverUrl, adminToken);
  const serverName = serverOf(adminUserId);
  const botUserId = ownId(options.botLocalpart ?? 'mintwarden', serverName);
  const issuerUserId = ownId(options.issuerLocalpart ?? 'mintwarden-issuer', serverName);
  const admins = [...new Set(options.admins.map((text) => adminId(text, serverName)))];
  const [bot, issuer] = [secretFiles(secretsDir, botUserId), secretFiles(secretsDir, issuerUserId)];
  const answers: Omit<Answers, 'controlRoom'> = {
    homeserverUrl,
    serverName,
    bot: { userId: botUserId, tokenFile: bot.token, passwordFile: bot.password },
    issuer: { userId: issuerUserId, tokenFile: issuer.token, passwordFile: issuer.password },
    admins,
    listen,
    publicUrl: options.publicUrl,
  };
  const problems = problemsOf(configContent({ ...answers, controlRoom: '!not-made-yet' }, directory));
  if (problems.length > 0)
    throw new MintwardenError('usage', problems.join('\n'), 'Nothing was changed. mintwarden init --help shows what it takes.');

  await using asAdmin = synapseAs(options, homeserverUrl, serverName, botUserId, adminToken);
  await requireAdmin(asAdmin.admin, adminUserId);
  await checkAdmins(asAdmin.admin, admins, serverName);
  const existing = options.force === true ? null : await earlier(configFile, answers, out);
  out(`${serverName} is a Synapse ${version}, and the token is an administrator's.`);

  await privateFolder(directory);
  await privateFolder(secretsDir);
  await privateFolder(join(directory, 'state'));
  const common = { admin: asAdmin.admin, homeserverUrl, secretsDir, newPassword, out };
  const botToken = await ensureAccount({
    ...common,
    wanted: { userId: botUserId, isIssuer: false, displayName: 'Mintwarden' },
    sessionLost: existing !== null && keysAreLost(existing),
  });
  const limit = await asAdmin.admin.rateLimit(botUserId);
  if (limit === null || limit.messagesPerSecond !== 0 || limit.burstCount !== 0) {
    await asAdmin.admin.liftRateLimit(botUserId);
    out(`Lifted the rate limits of ${botUserId}: a notice must not have to wait.`);
  }
  const issuerToken = await ensureAccount({
    ...common,
    wanted: { userId: issuerUserId, isIssuer: true, displayName: 'Mintwarden (issuer)' },
  });
  await using asIssuer = synapseAs(options, homeserverUrl, serverName, botUserId, issuerToken);
  if (!(await asIssuer.admin.isAdmin())) {
    throw new MintwardenError(
      'homeserver-refused',
      `${issuerUserId} has no right to the admin API, though it was made an administrator.`,
      'Look at the homeserver.',
    );
  }

  const controlRoom =
    existing?.control_room ??
    (await createControlRoom({ homeserverUrl, accessToken: botToken, userId: botUserId, admins, name: 'Mintwarden control room' }));
  out(`The control room is ${controlRoom}.${existing === null ? ` Invited: ${admins.join(', ')}.` : ''}`);

  if (existing === null) {
    await writePrivate(configFile, HEADER + stringify(configContent({ ...answers, controlRoom }, directory), { lineWidth: 0 }));
    out(`Wrote ${configFile}.`);
  }
  await loadConfig(configFile, {});
  return { configFile, controlRoom, botUserId, issuerUserId };
}

/** The bot has run, since its cross-signing seeds are there, but the keys of its session are not. */
function keysAreLost(config: Config): boolean {
  return existsSync(seedsFile(config)) && !existsSync(cryptoFolder(config));
}

/** The configuration of an earlier run, kept as it is; null where there is none. */
async function earlier(file: string, answers: Omit<Answers, 'controlRoom'>, out: (line: string) => void): Promise<Config | null> {
  const isThere = await readFile(file).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOTDIR')
        throw new MintwardenError(
          'state',
          `${dirname(file)} cannot be a folder: a file is in its way.`,
          'Name another folder with --dir.',
          { cause: error },
        );
      return error.code !== 'ENOENT';
    },
  );
  if (!isThere) return null;
  const next = 'Name another folder with --dir, or write it anew with --force (the control room stays the same).';
  const config = await loadConfig(file, {}).catch((error: unknown) => {
    throw new MintwardenError(
      'conflict',
      `There is a ${file} that cannot be used: ${error instanceof Error ? error.message : 'no reason given'}`,
      next,
    );
  });
  const same = config.bot.user_id === answers.bot.userId && config.issuer.user_id === answers.issuer.userId;
  if (!same || config.homeserver.server_name !== answers.serverName) {
    throw new MintwardenError('conflict', `There is a ${file} already, for ${config.bot.user_id} and ${config.issuer.user_id}.`, next);
  }
  const { host, port } = config.gateway.listen;
  const asked = { admins: answers.admins.toSorted().join(), url: new URL(answers.publicUrl).origin, listen: answers.listen };
  const listen = `${host.includes(':') ? `[${host}]` : host}:${String(port)}`;
  const differs = config.admins.toSorted().join() !== asked.admins || config.gateway.public_url !== asked.url || listen !== asked.listen;
  out(`${file} is there and is kept as it is.${differs ? ' It differs from what was asked for now; edit it, or use --force.' : ''}`);
  return config;
}

function synapseAs(options: InitOptions, homeserverUrl: string, serverName: string, botUserId: UserId, token: string) {
  return createSynapse({ homeserverUrl, serverName, issuerToken: () => token, botUserId, timeoutMs: TIMEOUT_MS, log: options.log });
}

function httpUrl(text: string): string {
  if (/^https?:\/\/[^\s?#@]+$/.test(text) && URL.canParse(text)) return text;
  throw new MintwardenError(
    'usage',
    `"${text}" is not the address of a homeserver.`,
    'Write for example: --homeserver http://127.0.0.1:8008',
  );
}

function ownId(localpart: string, serverName: string): UserId {
  // What a homeserver registers (spec appendix 4.2.1), so that no other server part can be slipped in.
  const userId = /^[a-z0-9._=/+-]+$/.test(localpart) ? parseUserId(`@${localpart}:${serverName}`) : null;
  if (userId !== null) return userId;
  throw new MintwardenError('usage', `"${localpart}" cannot be the name of an account.`, 'Use small letters, digits and - . _ = / +');
}

function adminId(text: string, serverName: string): UserId {
  const userId = parseUserId(text.includes(':') ? text : `${text.startsWith('@') ? '' : '@'}${text}:${serverName}`);
  if (userId !== null) return userId;
  throw new MintwardenError('usage', `"${text}" is not a user id.`, `Write for example: --admins @you:${serverName}`);
}

function newPassword(): string {
  return randomBytes(32).toString('base64url');
}
