import { join } from 'node:path';
import { readSecretFile } from '../../config/index.ts';
import { MintwardenError } from '../../domain/errors.ts';
import { localpartOf, type UserId } from '../../domain/ids.ts';
import type { AdminApi } from '../../issuers/synapse/admin.ts';
import { loginWithPassword, logout } from '../../matrix/accounts.ts';
import { createPrivate, writePrivate } from '../private-files.ts';

/** One of the two accounts, as `init` wants it. */
export type Wanted = {
  readonly userId: UserId;
  readonly isIssuer: boolean;
  readonly displayName: string;
};

/** Where the secrets of an account stand. */
export function secretFiles(secretsDir: string, userId: UserId): { password: string; token: string } {
  // A localpart may hold a slash; a file name may not.
  const name = localpartOf(userId).replaceAll(/[^a-z0-9._=+-]/g, '_');
  return { password: join(secretsDir, `${name}.password`), token: join(secretsDir, `${name}.token`) };
}

/**
 * Makes an account and its session, or finds those that an earlier run made. The password is on the disk
 * before the homeserver hears of it, so that a run that was cut off can go on: an account that is there is
 * ours if our password opens it, and nobody else's is ever touched.
 * @returns its access token
 * @throws MintwardenError `conflict` where the account is not ours or not as it must be
 */
export async function ensureAccount(parts: {
  readonly wanted: Wanted;
  readonly admin: AdminApi;
  readonly homeserverUrl: string;
  readonly secretsDir: string;
  readonly newPassword: () => string;
  /** The session's encryption keys are lost: it is given up for a new one. */
  readonly sessionLost?: boolean;
  readonly out: (line: string) => void;
}): Promise<string> {
  const { wanted, admin, homeserverUrl, secretsDir, out } = parts;
  const { userId, isIssuer } = wanted;
  const files = secretFiles(secretsDir, userId);
  const option = isIssuer ? '--issuer' : '--bot';

  const found = await admin.account(userId);
  if (found !== null) {
    const ours = await readSecretFile(files.password);
    if ('problem' in ours) {
      throw new MintwardenError(
        'conflict',
        `There is an account ${userId} already, and its password is not in ${files.password}: it is not taken for ours.`,
        `Choose another name with ${option}, or name the folder of the earlier init with --dir.`,
      );
    }
    const shut = found.deactivated ? 'deactivated' : found.locked ? 'locked' : null;
    if (shut !== null) throw new MintwardenError('conflict', `The account ${userId} is ${shut}.`, `Choose another name with ${option}.`);
    if (found.admin !== isIssuer) {
      const what = isIssuer ? 'is no server administrator, but must be one' : 'is a server administrator, but must not be one';
      throw new MintwardenError(
        'conflict',
        `The account ${userId} ${what}.`,
        `Change that at the homeserver, or choose another name with ${option}.`,
      );
    }
  } else {
    await createPrivate(files.password, `${parts.newPassword()}\n`);
  }

  const password = await passwordIn(files.password);
  if (found === null) {
    await admin.makeAccount(userId, { password, admin: isIssuer, displayName: wanted.displayName });
    out(`Made the account ${userId}${isIssuer ? ', a server administrator' : ''}.`);
  } else out(`The account ${userId} is there.`);

  const kept = await readSecretFile(files.token);
  const works = 'secret' in kept && (await admin.whoami(kept.secret)) === userId;
  if (works && parts.sessionLost !== true) return kept.secret;
  const session = await loginWithPassword(homeserverUrl, userId, password, isIssuer ? 'Mintwarden (issuer)' : 'Mintwarden');
  if (session.userId !== userId)
    throw new MintwardenError('homeserver-nonsense', `The homeserver logged ${session.userId} in instead of ${userId}.`);
  await writePrivate(files.token, `${session.accessToken}\n`);
  // Only now: a run that is cut off must find a session that works, or none.
  if (works) await logout(homeserverUrl, kept.secret);
  out(`Logged ${userId} in${works ? ' anew, since the keys of its session are lost' : ''}.`);
  return session.accessToken;
}

async function passwordIn(file: string): Promise<string> {
  const read = await readSecretFile(file);
  if ('secret' in read) return read.secret;
  throw new MintwardenError('state', read.problem, 'Remove the file, or mend it, and run init again.');
}
