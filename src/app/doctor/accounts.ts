import type { Config } from '../../config/index.ts';
import type { UserId } from '../../domain/ids.ts';
import type { Account, AdminApi } from '../../issuers/synapse/admin.ts';
import { fail, ok, warn, type Finding } from './finding.ts';

/** The issuer: logged in, an administrator, nothing else. */
export async function checkIssuer(config: Config, admin: AdminApi): Promise<readonly Finding[]> {
  const { user_id: userId, access_token: token } = config.issuer;
  const id = 'issuer account';
  const whose = await admin.whoami(token);
  if (whose === null) {
    return [
      fail(
        id,
        `The token of ${userId} is not known to the homeserver, or the account is locked.`,
        'Nothing can be minted or looked up.',
        'Run mintwarden init again: it logs the account in anew.',
      ),
    ];
  }
  if (whose !== userId)
    return [fail(id, `The token belongs to ${whose}.`, `It should be that of ${userId}.`, 'Correct issuer.access_token_file.')];
  if (!(await admin.isAdmin())) {
    return [
      fail(
        id,
        `${userId} is no server administrator.`,
        'Only one may make tokens for others.',
        `Make it one: PUT /_synapse/admin/v1/users/${userId}/admin {"admin": true}`,
      ),
    ];
  }
  const limit = await admin.rateLimit(userId);
  if (limit !== null) {
    const why = 'Tokens it makes have the same exception: every holder could send without limit in the name of its subject.';
    return [
      fail(
        id,
        `An exception from the rate limits is set for ${userId}.`,
        why,
        `Remove it: DELETE /_synapse/admin/v1/users/${userId}/override_ratelimit`,
      ),
    ];
  }
  return [ok(id, `${userId} is logged in and a server administrator.`), ...(await consent(id, admin, userId))];
}

/** The bot: logged in, no administrator, without rate limits. */
export async function checkBot(config: Config, admin: AdminApi): Promise<readonly Finding[]> {
  const { user_id: userId, access_token: token } = config.bot;
  const id = 'bot account';
  const whose = await admin.whoami(token);
  if (whose === null) {
    const mend = 'Run mintwarden init again: it logs the account in anew.';
    return [fail(id, `The token of ${userId} is not known to the homeserver, or the account is locked.`, 'The bot cannot chat.', mend)];
  }
  if (whose !== userId)
    return [fail(id, `The token belongs to ${whose}.`, `It should be that of ${userId}.`, 'Correct bot.access_token_file.')];
  const account = await admin.account(userId);
  if (account?.admin === true) {
    const mend = `Take the right away: PUT /_synapse/admin/v1/users/${userId}/admin {"admin": false}`;
    return [fail(id, `${userId} is a server administrator.`, 'Whoever takes the bot over would own the homeserver.', mend)];
  }
  const limit = await admin.rateLimit(userId);
  const limited = limit === null || limit.messagesPerSecond !== 0;
  return [
    limited
      ? warn(
          id,
          `The homeserver limits how fast ${userId} may write.`,
          'After ten messages a notice would wait for a minute.',
          'Run mintwarden init again: it lifts the limits.',
        )
      : ok(id, `${userId} is logged in, no administrator, and free of rate limits.`),
    ...(await consent(id, admin, userId)),
  ];
}

async function consent(id: string, admin: AdminApi, userId: UserId): Promise<readonly Finding[]> {
  const account = await admin.account(userId);
  if (account === null || account.userType === 'bot') return [];
  const why = 'Where the homeserver asks for consent to its terms, it asks this account too, and everything it does fails until then.';
  return [warn(id, `${userId} is not marked as a bot.`, why, `PUT /_synapse/admin/v2/users/${userId} {"user_type": "bot"}`)];
}

/** The people who give commands: that they are there. */
export async function checkAdmins(config: Config, admin: AdminApi): Promise<readonly Finding[]> {
  const local = config.admins.filter((userId) => userId.endsWith(`:${config.homeserver.server_name}`));
  const accounts: [UserId, Account | null][] = await Promise.all(local.map(async (userId) => [userId, await admin.account(userId)]));
  const findings = accounts.flatMap(([userId, account]) => {
    const what = account === null ? 'does not exist' : account.deactivated ? 'is deactivated' : account.locked ? 'is locked' : null;
    return what === null
      ? []
      : [warn('admins', `${userId} ${what}.`, 'They can give no commands.', 'Take them out of admins, or mend the account.')];
  });
  return findings.length > 0 ? findings : [ok('admins', `${config.admins.join(', ')} may give commands.`)];
}
