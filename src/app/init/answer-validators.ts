import { validateConfig } from '../../config/index.ts';
import { MintwardenError } from '../../domain/errors.ts';
import type { UserId } from '../../domain/ids.ts';
import { createSynapse, type Synapse } from '../../issuers/synapse/synapse.ts';
import { loginWithPassword, logout } from '../../matrix/sessions.ts';
import type { Log } from '../../ports/log.ts';
import { loginWaitLine } from './account.ts';
import { configContent } from './config-content.ts';
import { parseAdminIds, checkAdmins, checkAdminToken, checkHomeserver } from './preflight.ts';

const TIMEOUT_MS = 30_000;

/** Not knowing yet who the bot will be: what is asked with this needs no bot. */
function connectSynapse(homeserverUrl: string, serverName: string, token: string, log: Log): Synapse {
  const botUserId = '@nobody:unknown.invalid' as UserId;
  return createSynapse({
    homeserverUrl,
    serverName,
    issuerToken: () => token,
    botUserId,
    timeoutMs: TIMEOUT_MS,
    log,
  });
}

/** What a homeserver said of itself. */
export type HomeserverInfo = { readonly version: string; readonly serverName: string };

/**
 * Whether this homeserver will do, and this token where there is one already.
 * @throws MintwardenError that says what is wrong and what to do
 */
export async function inspectHomeserver(
  homeserverUrl: string,
  adminToken: string | null,
  log: Log,
): Promise<HomeserverInfo> {
  await using cleanup = new AsyncDisposableStack();
  const adminFor = (serverName: string) =>
    cleanup.use(connectSynapse(homeserverUrl, serverName, adminToken ?? '', log)).admin;
  const version = await checkHomeserver(adminFor('unknown.invalid'), homeserverUrl);
  if (adminToken === null) return { version, serverName: '' };
  const { serverName } = await checkAdminToken(adminFor, adminToken);
  return { version, serverName };
}

/**
 * An administrator's session for as long as `init` runs: logged out when it is disposed of. @throws
 * MintwardenError
 */
export async function loginForInit(
  homeserverUrl: string,
  user: string,
  password: string,
  log: Log,
  out: (line: string) => void,
): Promise<AsyncDisposable & { readonly token: string }> {
  await inspectHomeserver(homeserverUrl, null, log);
  const { accessToken } = await loginWithPassword(homeserverUrl, user, password, 'mintwarden init', {
    onWait: (ms) => out(loginWaitLine(ms)),
  });
  const end = (): Promise<void> => logout(homeserverUrl, accessToken);
  try {
    await inspectHomeserver(homeserverUrl, accessToken, log);
  } catch (error) {
    await end();
    throw error;
  }
  return { token: accessToken, [Symbol.asyncDispose]: end };
}

/** The public address of the gateway. @throws MintwardenError `usage` */
export function validatePublicUrl(text: string): string {
  const account = (name: string) => ({
    userId: `@${name}:example.org`,
    tokenFile: `${name}.token`,
    passwordFile: `${name}.password`,
  });
  const rest = {
    homeserverUrl: 'http://127.0.0.1:8008',
    serverName: 'example.org',
    bot: account('bot'),
    issuer: account('issuer'),
  };
  const answers = {
    ...rest,
    admins: ['@you:example.org'],
    listen: '127.0.0.1:8009',
    controlRoom: '!room',
    publicUrl: text,
  };
  const problems = validateConfig(configContent(answers, '.'));
  if (problems.length === 0) return text;
  throw new MintwardenError(
    'usage',
    problems.join('\n'),
    'To try it on this machine alone, without a proxy: http://127.0.0.1:8009',
  );
}

/** Whether these people can give commands. @throws MintwardenError `usage` */
export async function validateAdmins(
  names: readonly string[],
  at: {
    readonly homeserverUrl: string;
    readonly serverName: string;
    readonly adminToken: string;
    readonly log: Log;
  },
): Promise<void> {
  if (names.length === 0)
    throw new MintwardenError(
      'usage',
      'At least one person is needed.',
      `Write for example: @you:${at.serverName}`,
    );
  await using synapse = connectSynapse(at.homeserverUrl, at.serverName, at.adminToken, at.log);
  await checkAdmins(synapse.admin, parseAdminIds(names, at.serverName), at.serverName);
}
