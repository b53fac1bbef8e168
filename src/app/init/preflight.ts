import { MintwardenError } from '../../domain/errors.ts';
import { parseUserId, serverOf, type UserId } from '../../domain/ids.ts';
import type { AdminApi } from '../../issuers/synapse/admin.ts';
import { listenError } from '../can-listen.ts';

/** The address of a homeserver, without a slash at its end. @throws MintwardenError `usage` */
export function parseHomeserverUrl(text: string): string {
  if (/^https?:\/\/[^\s?#@]+$/.test(text) && URL.canParse(text)) return text.replace(/\/+$/, '');
  const bare = /^[A-Za-z0-9.-]+(:\d+)?$/.test(text);
  throw new MintwardenError(
    'usage',
    `"${text}" is not the address of a homeserver.`,
    bare
      ? `Write it with http:// or https:// before it: http://${text}`
      : 'Write for example: http://127.0.0.1:8008',
  );
}

/**
 * Looks whether the gateway will be able to listen; what listens there may be the service of an earlier run.
 * @throws MintwardenError `usage`
 */
export async function checkListen(
  { host, port }: { readonly host: string; readonly port: number },
  isServiceRunning: boolean,
): Promise<void> {
  const problem = port === 0 || isServiceRunning ? null : await listenError(host, port);
  if (problem === null) return;
  const what =
    problem === 'EADDRINUSE'
      ? 'something else listens there'
      : problem === 'EADDRNOTAVAIL'
        ? 'it is no address of this machine'
        : problem;
  throw new MintwardenError(
    'usage',
    `The gateway cannot listen on ${host}:${String(port)}: ${what}.`,
    `Nothing was changed. Choose another address or port with --listen, or free it; what has it: ss -ltnp 'sport = :${String(port)}'`,
  );
}

/**
 * Looks whether this homeserver can be worked with, before anything is made there.
 * @returns Synapse's version
 * @throws MintwardenError that says what stands in the way and what to do
 */
export async function checkHomeserver(admin: AdminApi, homeserverUrl: string): Promise<string> {
  const version = await admin.version().catch((error: unknown) => {
    // A web client, or a page of the proxy, at every address.
    if (error instanceof MintwardenError && error.code === 'homeserver-invalid-response') return null;
    throw error;
  });
  if (version === null) throw await explainMissingSynapse(admin, homeserverUrl);
  if (await admin.usesAuthenticationService()) {
    throw new MintwardenError(
      'homeserver-refused',
      'This homeserver leaves logins to the Matrix Authentication Service, under which Synapse makes no tokens for others.',
      'This is not supported yet: Mintwarden works only where Synapse does logins itself.',
    );
  }
  if (!(await admin.hasPasswordLogin())) {
    throw new MintwardenError(
      'homeserver-refused',
      'This homeserver has no login with a password, which the two accounts of Mintwarden need.',
      'Set password_config: {enabled: true} in homeserver.yaml, restart Synapse, and run this again. After the first start of Mintwarden you may turn it off again.',
    );
  }
  return version;
}

/** No admin API there: hidden by a proxy, another homeserver, or none at all. */
async function explainMissingSynapse(admin: AdminApi, homeserverUrl: string): Promise<MintwardenError> {
  const isMatrix = await admin.clock().then(
    () => true,
    () => false,
  );
  return isMatrix
    ? new MintwardenError(
        'homeserver-refused',
        `A homeserver answers at ${homeserverUrl}, but Synapse's admin API is not there.`,
        'Mintwarden needs Synapse. A proxy often hides /_synapse/admin from the public address: name the address at which Synapse itself listens, such as http://127.0.0.1:8008.',
      )
    : new MintwardenError(
        'homeserver-refused',
        `What answers at ${homeserverUrl} is no homeserver: it does not know /_matrix/client/versions, and Synapse's admin API is not there.`,
        'Name the address at which Synapse listens, such as http://127.0.0.1:8008 (listeners in homeserver.yaml).',
      );
}

/**
 * Whose token it is, a server administrator's.
 * @throws MintwardenError that says what is wrong with it
 */
export async function checkAdminToken(
  adminFor: (serverName: string) => AdminApi,
  token: string,
): Promise<{ readonly userId: UserId; readonly serverName: string }> {
  const userId = await adminFor('unknown.invalid').whoami(token);
  if (userId === null) {
    throw new MintwardenError(
      'homeserver-refused',
      "The homeserver does not know the administrator's token.",
      'Take a fresh one: in Element, All settings, Help & About, Access token. Logging that session out ends it.',
    );
  }
  if (await adminFor(serverOf(userId)).isAdmin()) return { userId, serverName: serverOf(userId) };
  throw new MintwardenError(
    'homeserver-refused',
    `${userId} is no server administrator.`,
    'Use the token of one. To make one: register_new_matrix_user -c homeserver.yaml --admin http://localhost:8008',
  );
}

/**
 * The admins of Mintwarden by their ids; a name alone is one of this server's. @throws MintwardenError
 * `usage`
 */
export function parseAdminIds(names: readonly string[], serverName: string): readonly UserId[] {
  const ids = names.map((name) => {
    const userId = parseUserId(
      name.includes(':') ? name : `${name.startsWith('@') ? '' : '@'}${name}:${serverName}`,
    );
    if (userId !== null) return userId;
    throw new MintwardenError(
      'usage',
      `"${name}" is not a user id.`,
      `Write for example: @you:${serverName}`,
    );
  });
  return [...new Set(ids)];
}

/** Refuses admins of Mintwarden who could never give a command: unknown here, elsewhere, or shut out. */
export async function checkAdmins(
  admin: AdminApi,
  admins: readonly UserId[],
  serverName: string,
): Promise<void> {
  for (const userId of admins) {
    if (!userId.endsWith(`:${serverName}`)) {
      throw new MintwardenError(
        'usage',
        `${userId} is not on ${serverName}.`,
        `Name users of ${serverName}.`,
      );
    }
    const account = await admin.account(userId);
    if (account === null)
      throw new MintwardenError('usage', `There is no user ${userId}.`, 'Look for a typing mistake.');
    if (account.deactivated || account.locked) {
      throw new MintwardenError(
        'usage',
        `${userId} is ${account.deactivated ? 'deactivated' : 'locked'}.`,
        'Name another user.',
      );
    }
  }
}
