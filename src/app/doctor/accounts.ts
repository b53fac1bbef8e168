import { dirname, join } from 'node:path';
import type { Config } from '../../config/index.ts';
import { serverOf, type UserId } from '../../domain/ids.ts';
import type { Account, AdminApi } from '../../issuers/synapse/admin.ts';
import { path } from '../../issuers/synapse/http.ts';
import { isSessionEnded } from '../../matrix/homeserver-errors.ts';
import { createHomeserverClient, path as clientPath } from '../../matrix/homeserver.ts';
import { secretFiles } from '../init/account.ts';
import { fail, type Finding, ok, warn } from './finding.ts';
import { checkSessions } from './sessions.ts';
import { adminRequest, AS_ADMIN, initCommand, ownCommand, reactivateRequest } from './shell.ts';

/** The issuer: logged in, an administrator, nothing else. */
export async function checkIssuer(config: Config, admin: AdminApi): Promise<readonly Finding[]> {
  const { user_id: userId, access_token: token } = config.issuer;
  const whose = await admin.whoami(token);
  if (whose === null && (await hasSessionEnded(config, token))) return [sessionEnded(config, 'issuer')];
  if (whose === null)
    return [
      fail(
        'issuer-token',
        `The token of ${userId} is not known to the homeserver, or the account is locked.`,
        {
          fix: 'Run mintwarden init again: it logs the account in again. Then restart the service.',
          command: initCommand(config),
        },
      ),
    ];
  if (whose !== userId) return [wrongAccount('issuer-token', whose, userId, 'issuer.access_token_file')];
  const loggedIn = ok('issuer-token', `${userId} is logged in.`);
  if (!(await admin.isAdmin())) {
    const command = adminRequest(config, 'PUT', path`/_synapse/admin/v1/users/${userId}/admin`, {
      admin: true,
    });
    return [
      loggedIn,
      fail('issuer-rights', `${userId} is no server administrator.`, {
        fix: `Make it one. ${AS_ADMIN}`,
        command,
      }),
    ];
  }
  const limit = await admin.rateLimit(userId);
  const override = path`/_synapse/admin/v1/users/${userId}/override_ratelimit`;
  return [
    loggedIn,
    ok('issuer-rights', `${userId} is a server administrator.`),
    limit === null
      ? ok('issuer-rate-limit', `The ordinary rate limits hold for ${userId}.`)
      : fail('issuer-rate-limit', `An exception from the rate limits is set for ${userId}.`, {
          fix: `Remove it. ${AS_ADMIN}`,
          command: adminRequest(config, 'DELETE', override),
        }),
    await checkSessions('issuer-sessions', config, userId, token),
    ...consent('issuer-consent', config, userId, await admin.account(userId)),
  ];
}

/**
 * The bot: logged in, no administrator, without rate limits. Of the account itself only the issuer can tell.
 */
export async function checkBot(
  config: Config,
  admin: AdminApi,
  isIssuerGood: boolean,
): Promise<readonly Finding[]> {
  const { user_id: userId, access_token: token } = config.bot;
  const account = isIssuerGood ? await admin.account(userId) : null;
  const findings = isIssuerGood ? [accountFinding(config, userId, account)] : [];
  if (findings.some(({ severity }) => severity === 'fail')) return findings;
  const whose = await admin.whoami(token);
  if (whose === null && (await hasSessionEnded(config, token)))
    return [...findings, sessionEnded(config, 'bot')];
  if (whose === null)
    return [
      ...findings,
      fail('bot-token', `The token of ${userId} is not known to the homeserver.`, {
        fix: 'Run mintwarden init again: it logs the account in again. Then restart the service.',
        command: initCommand(config),
      }),
    ];
  if (whose !== userId)
    return [...findings, wrongAccount('bot-token', whose, userId, 'bot.access_token_file')];
  findings.push(ok('bot-token', `${userId} is logged in.`));
  if (account === null) return findings;
  const limit = await admin.rateLimit(userId);
  const [right, override] = [
    path`/_synapse/admin/v1/users/${userId}/admin`,
    path`/_synapse/admin/v1/users/${userId}/override_ratelimit`,
  ];
  return [
    ...findings,
    account.admin
      ? fail('bot-rights', `${userId} is a server administrator.`, {
          fix: `Take the right away. ${AS_ADMIN}`,
          command: adminRequest(config, 'PUT', right, { admin: false }),
        })
      : ok('bot-rights', `${userId} is no server administrator.`),
    limit === null || limit.messagesPerSecond !== 0
      ? warn('bot-rate-limit', `The homeserver limits how fast ${userId} may write.`, {
          fix: `Lift the limits. ${AS_ADMIN}`,
          command: adminRequest(config, 'POST', override, { messages_per_second: 0, burst_count: 0 }),
        })
      : ok('bot-rate-limit', `${userId} is free of rate limits.`),
    await checkSessions('bot-sessions', config, userId, token),
    ...consent('bot-consent', config, userId, account),
  ];
}

function sessionEnded(config: Config, which: 'bot' | 'issuer'): Finding {
  const { user_id: userId, password } = config[which];
  const found = `The session of ${userId} has ended: this homeserver lets none live longer (session_lifetime).`;
  return password === undefined
    ? fail(`${which}-token`, `${found} There is no password to log in again with.`, {
        fix: `Put the password into ${which}.password_file: the service then logs in again by itself.`,
      })
    : warn(`${which}-token`, found, {
        fix: 'The service logs in again by itself. Where it is not running, start it.',
        command: ownCommand(config, 'start'),
      });
}

async function hasSessionEnded(config: Config, accessToken: string): Promise<boolean> {
  const homeserver = createHomeserverClient({ homeserverUrl: config.homeserver.url, accessToken });
  return homeserver.request('GET', clientPath`/account/whoami`).then(() => false, isSessionEnded);
}

function accountFinding(config: Config, userId: UserId, account: Account | null): Finding {
  if (account === null)
    return fail('bot-account', `There is no account ${userId}.`, {
      fix: 'Run mintwarden init again: it makes the account.',
      command: initCommand(config),
    });
  const where = path`/_synapse/admin/v2/users/${userId}`;
  if (account.deactivated) {
    const fix = `Bring it back, with the password that init made, and log it in again; then invite it to the control room again, and restart the service. ${AS_ADMIN}`;
    const command = [
      reactivateRequest(config, where, secretFiles(join(dirname(config.file), 'secrets'), userId).password),
      initCommand(config),
    ];
    return fail('bot-account', `The account ${userId} is deactivated.`, {
      fix,
      command: command.join('\n'),
    });
  }
  if (account.locked)
    return fail('bot-account', `The account ${userId} is locked.`, {
      fix: `Unlock it. ${AS_ADMIN}`,
      command: adminRequest(config, 'PUT', where, { locked: false }),
    });
  return ok('bot-account', `The account ${userId} is there.`);
}

function wrongAccount(id: 'issuer-token' | 'bot-token', whose: UserId, wanted: UserId, key: string): Finding {
  const isElsewhere = serverOf(whose) !== serverOf(wanted);
  const fix = isElsewhere
    ? `Correct homeserver.url, or homeserver.server_name and the user ids: this is the homeserver of ${serverOf(whose)}.`
    : `Put the token of ${wanted} into ${key}.`;
  return fail(id, `The token belongs to ${whose}, and should be that of ${wanted}.`, { fix });
}

function consent(
  id: 'issuer-consent' | 'bot-consent',
  config: Config,
  userId: UserId,
  account: Account | null,
): readonly Finding[] {
  if (account === null) return [];
  if (account.userType === 'bot') return [ok(id, `${userId} is marked as a bot.`)];
  const command = adminRequest(config, 'PUT', path`/_synapse/admin/v2/users/${userId}`, { user_type: 'bot' });
  return [warn(id, `${userId} is not marked as a bot.`, { fix: `Mark it. ${AS_ADMIN}`, command })];
}

/** The people who give commands: that they are there. */
export async function checkAdmins(config: Config, admin: AdminApi): Promise<readonly Finding[]> {
  const local = config.admins.filter((userId) => serverOf(userId) === config.homeserver.server_name);
  const accounts: [UserId, Account | null][] = await Promise.all(
    local.map(async (userId) => [userId, await admin.account(userId)]),
  );
  const findings = accounts.flatMap(([userId, account]) => {
    const what =
      account === null
        ? 'does not exist'
        : account.deactivated
          ? 'is deactivated'
          : account.locked
            ? 'is locked'
            : null;
    return what === null ? [] : [warn('admins', `${userId} ${what}.`)];
  });
  return findings.length > 0 ? findings : [ok('admins', `${config.admins.join(', ')} may give commands.`)];
}
