import { MintwardenError } from '../../domain/errors.ts';
import type { UserId } from '../../domain/ids.ts';
import type { AdminApi } from '../../issuers/synapse/admin.ts';

/**
 * Looks whether this homeserver can be worked with, before anything is made there.
 * @returns whose token it is, and Synapse's version
 * @throws MintwardenError that says what stands in the way and what to do
 */
export async function preflight(
  admin: AdminApi,
  homeserverUrl: string,
  adminToken: string,
): Promise<{ adminUserId: UserId; version: string }> {
  const version = await admin.version();
  if (version === null) {
    throw new MintwardenError(
      'homeserver-refused',
      `${homeserverUrl} answers, but Synapse's admin API is not there.`,
      'Mintwarden needs Synapse. Name the address at which its /_synapse/admin can be reached; a proxy often hides it, so try the one Synapse listens on, such as http://127.0.0.1:8008.',
    );
  }
  if (await admin.usesAuthenticationService()) {
    throw new MintwardenError(
      'homeserver-refused',
      'This homeserver leaves logins to the Matrix Authentication Service, under which Synapse makes no tokens for others.',
      'This version of Mintwarden works only where Synapse does logins itself.',
    );
  }
  if (!(await admin.hasPasswordLogin())) {
    throw new MintwardenError(
      'homeserver-refused',
      'This homeserver has no login with a password, which the two accounts of Mintwarden need.',
      'Set password_config: {enabled: true} in homeserver.yaml, restart Synapse, and run this again. After the first start of Mintwarden you may turn it off again.',
    );
  }
  const adminUserId = await admin.whoami(adminToken);
  if (adminUserId === null) {
    throw new MintwardenError(
      'homeserver-refused',
      "The homeserver does not know the administrator's token.",
      'Take a fresh one: in Element, All settings, Help & About, Access token.',
    );
  }
  return { adminUserId, version };
}

/** @throws MintwardenError where the token is not a server administrator's */
export async function requireAdmin(admin: AdminApi, adminUserId: UserId): Promise<void> {
  if (await admin.isAdmin()) return;
  throw new MintwardenError(
    'homeserver-refused',
    `${adminUserId} is no server administrator.`,
    'Use the token of one. To make one: register_new_matrix_user -c homeserver.yaml --admin http://localhost:8008',
  );
}

/** Refuses admins of Mintwarden who could never give a command: unknown here, elsewhere, or shut out. */
export async function checkAdmins(admin: AdminApi, admins: readonly UserId[], serverName: string): Promise<void> {
  for (const userId of admins) {
    if (!userId.endsWith(`:${serverName}`)) {
      throw new MintwardenError('usage', `${userId} is not on ${serverName}.`, `Name users of ${serverName} with --admins.`);
    }
    const account = await admin.account(userId);
    if (account === null) throw new MintwardenError('usage', `There is no user ${userId}.`, 'Look for a typing mistake in --admins.');
    if (account.deactivated || account.locked) {
      throw new MintwardenError(
        'usage',
        `${userId} is ${account.deactivated ? 'deactivated' : 'locked'}.`,
        'Name another user with --admins.',
      );
    }
  }
}
