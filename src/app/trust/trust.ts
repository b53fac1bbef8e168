import { randomBytes } from 'node:crypto';
import type { Config } from '../../config/index.ts';
import type { Pin } from '../../domain/change.ts';
import { MintwardenError } from '../../domain/errors.ts';
import type { Actor, UserId } from '../../domain/ids.ts';
import { trustIdentity } from '../../lifecycle/trust-identity.ts';
import { createHomeserverClient, path } from '../../matrix/homeserver.ts';
import { verifyPublishedIdentity, type PublishedIdentity } from '../../matrix/published-identity.ts';
import type { Log } from '../../ports/log.ts';
import { openSqliteLedger, openSqliteLedgerReadOnly } from '../../store/sqlite/index.ts';
import { safeInline, shortened } from '../../words/safe-text.ts';
import { ledgerFile } from '../paths.ts';

/**
 * The identity of a user as the homeserver shows it now. @throws MintwardenError `not-found` where there is
 * none
 */
async function fetchIdentity(config: Config, userId: UserId): Promise<PublishedIdentity> {
  const homeserver = createHomeserverClient({
    homeserverUrl: config.homeserver.url,
    accessToken: config.bot.access_token,
  });
  const answer = await homeserver.request('POST', path`/keys/query`, {
    body: { device_keys: { [userId]: [] } },
  });
  const identity = verifyPublishedIdentity(answer, userId);
  if (identity !== null) return identity;
  throw new MintwardenError(
    'not-found',
    `The homeserver shows no cryptographic identity of ${userId}.`,
    'They set up encryption in their client first (in Element: Settings, Encryption).',
  );
}

/**
 * What an operator must compare before confirming a user's identity, in lines. Changes nothing, and works
 * beside a running service.
 * @throws MintwardenError
 */
export async function describeIdentity(config: Config, log: Log, userId: UserId): Promise<readonly string[]> {
  const { masterKey, sessions } = await fetchIdentity(config, userId);
  const ledger = await openSqliteLedgerReadOnly({ file: ledgerFile(config), log });
  let pin: Pin | null;
  try {
    pin = await ledger.pin(userId);
  } finally {
    await ledger.close();
  }
  if (pin?.masterKey === masterKey)
    return [`The identity of ${userId} is the one that counts: ${masterKey}. There is nothing to do.`];
  const known =
    pin === null ? 'none was written down yet' : `${pin.masterKey}, since ${new Date(pin.at).toISOString()}`;
  return [
    `The identity of ${userId} that the homeserver shows now: ${masterKey}`,
    `The one that counts: ${known}`,
    '',
    sessions.length === 0
      ? 'It vouches for no session: do not confirm it.'
      : 'It vouches for these sessions:',
    ...sessions.map(
      ({ deviceId, key, name }) =>
        `  ${safeInline(deviceId)}  ${groupByFour(safeInline(key))}${name === null ? '' : `  (${shortened(safeInline(name), 40)})`}`,
    ),
    '',
    'Ask them, in person or by telephone and not by this homeserver, for the session id and session key that their own',
    'client shows (in Element: Settings, Help & About or Sessions). Only if they stand here, letter by letter, stop the',
    'service and confirm:',
    `  mintwarden trust ${userId} --key ${masterKey}`,
  ];
}

/**
 * Makes the identity that the homeserver shows now the one that counts. The service must not be running: it
 * has the ledger to itself. It tells the control room when it starts.
 * @throws MintwardenError `conflict` where the homeserver shows another key than `key`, or it counts already
 */
export async function confirmIdentity(
  config: Config,
  log: Log,
  userId: UserId,
  key: string,
  by: Actor,
): Promise<void> {
  const { masterKey } = await fetchIdentity(config, userId);
  if (masterKey !== key) {
    throw new MintwardenError(
      'conflict',
      `The homeserver shows another identity of ${userId}: ${masterKey}.`,
      `Compare again: mintwarden trust ${userId}`,
    );
  }
  const ledger = await openSqliteLedger({ file: ledgerFile(config), log });
  try {
    const random = { bytes: (count: number) => randomBytes(count) };
    await trustIdentity({ ledger, clock: { now: () => Date.now() }, random }, { userId, masterKey, by });
  } finally {
    await ledger.close();
  }
}

/** As clients show session keys. */
function groupByFour(key: string): string {
  return key.replace(/.{4}(?=.)/g, '$& ');
}
