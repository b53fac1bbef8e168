import { join } from 'node:path';
import { readSecretFile } from '../../config/index.ts';
import { MintwardenError } from '../../domain/errors.ts';
import { localpartOf, type UserId } from '../../domain/ids.ts';
import type { AdminApi } from '../../issuers/synapse/admin.ts';
import { loginWithPassword, logout } from '../../matrix/sessions.ts';
import { shortDuration } from '../../words/time.ts';
import { createPrivate, writePrivate } from '../private-files.ts';
import type { Recording } from './record.ts';

/** One of the two accounts, as `init` wants it. */
export type AccountSpec = {
  readonly userId: UserId;
  readonly isIssuer: boolean;
  readonly displayName: string;
  /**
   * Of an account that is there and shall be used; null: one of our own, made where it is missing. A secret.
   */
  readonly existingPassword: string | null;
};

/** An account as it stands. `session`: its access token, a secret, where it works. */
export type AccountState = { readonly exists: boolean; readonly session: string | null };

/** Where the secrets of an account stand. */
export function secretFiles(secretsDir: string, userId: UserId): { password: string; token: string } {
  // A localpart may hold a slash; a file name may not.
  const name = localpartOf(userId).replaceAll(/[^a-z0-9._=+-]/g, '_');
  return { password: join(secretsDir, `${name}.password`), token: join(secretsDir, `${name}.token`) };
}

/**
 * Looks at an account without changing anything. One that is there is ours if its password is in our files,
 * or was given to us; nobody else's is ever touched.
 * @throws MintwardenError `conflict` where the account is not ours or not as it must be
 */
export async function inspectAccount(
  wanted: AccountSpec,
  admin: AdminApi,
  secretsDir: string,
): Promise<AccountState> {
  const { userId, isIssuer, existingPassword } = wanted;
  const option = isIssuer ? '--issuer' : '--bot';
  const files = secretFiles(secretsDir, userId);
  const found = await admin.account(userId);
  if (found === null) {
    if (existingPassword === null) return { exists: false, session: null };
    throw new MintwardenError(
      'conflict',
      `There is no account ${userId}, though a password of it was given.`,
      `Name the account that you mean with ${option}, or leave ${option}-password-file out: then it is made.`,
    );
  }
  const shut = found.deactivated ? 'deactivated' : found.locked ? 'locked' : null;
  if (shut !== null)
    throw new MintwardenError(
      'conflict',
      `The account ${userId} is ${shut}.`,
      `Choose another name with ${option}.`,
    );
  const kept = await readSecretFile(files.password);
  if (existingPassword === null && 'problem' in kept) {
    throw new MintwardenError(
      'conflict',
      `There is an account ${userId} already, and its password is not in ${files.password}: it is not taken for ours.`,
      `Choose another name with ${option}; or use it all the same, with its password in a file: ${option}-password-file FILE; or name the folder of the earlier init with --dir.`,
    );
  }
  if (found.admin !== isIssuer) {
    throw new MintwardenError(
      'conflict',
      `The account ${userId} ${isIssuer ? 'is no server administrator, but must be one' : 'is a server administrator, but must not be one'}.`,
      `Change that at the homeserver, or choose another name with ${option}.`,
    );
  }
  const token = await readSecretFile(files.token);
  const works = 'secret' in token && (await admin.whoami(token.secret)) === userId;
  return { exists: true, session: works ? token.secret : null };
}

/**
 * Makes an account and its session, or finds those that an earlier run made. That we make it, and the
 * password, are on the disk before the homeserver hears of it, so that a run that was cut off can go on.
 * @returns its access token
 * @throws MintwardenError as `lookAtAccount`; `homeserver-refused` where the password does not open it
 */
export async function ensureAccount(parts: {
  readonly wanted: AccountSpec;
  readonly admin: AdminApi;
  readonly homeserverUrl: string;
  readonly secretsDir: string;
  readonly newPassword: () => string;
  readonly recording: Recording | null;
  /** The session's encryption keys are lost: it is given up for a new one. */
  readonly sessionLost?: boolean;
  readonly out: (line: string) => void;
}): Promise<string> {
  const { wanted, admin, homeserverUrl, secretsDir, recording, out } = parts;
  const { userId, isIssuer, existingPassword } = wanted;
  const files = secretFiles(secretsDir, userId);
  const { exists, session: kept } = await inspectAccount(wanted, admin, secretsDir);
  await recordCreated(recording, userId, exists, existingPassword !== null);
  if (!exists) {
    await createPrivate(files.password, `${parts.newPassword()}\n`);
    await admin.makeAccount(userId, {
      password: await readPassword(files.password),
      admin: isIssuer,
      displayName: wanted.displayName,
    });
    out(`Made the account ${userId}${isIssuer ? ', a server administrator' : ''}.`);
  } else out(`The account ${userId} is there.`);
  if (kept !== null && parts.sessionLost !== true) return kept;

  const password = existingPassword ?? (await readPassword(files.password));
  const session = await loginWithPassword(
    homeserverUrl,
    userId,
    password,
    isIssuer ? 'Mintwarden (issuer)' : 'Mintwarden',
    { onWait: (ms) => out(loginWaitLine(ms)) },
  );
  if (session.userId !== userId)
    throw new MintwardenError(
      'homeserver-invalid-response',
      `The homeserver logged ${session.userId} in instead of ${userId}.`,
    );
  // A password that was given has shown just now that it is the right one.
  if (existingPassword !== null) await writePrivate(files.password, `${existingPassword}\n`);
  await writePrivate(files.token, `${session.accessToken}\n`);
  // Only now: a run that is cut off must find a session that works, or none.
  if (kept !== null) await logout(homeserverUrl, kept);
  if (session.expiresInMs !== null && !isIssuer)
    out(
      `Sessions end after ${shortDuration(session.expiresInMs)} on this homeserver (session_lifetime): the service logs both accounts in again by itself, with the passwords in ${secretsDir}.`,
    );
  out(`Logged ${userId} in${kept === null ? '' : ' again, since the keys of its session are lost'}.`);
  return session.accessToken;
}

/** What people are told while the homeserver lets nobody log in. */
export function loginWaitLine(ms: number): string {
  return `The homeserver limits logins (rc_login in homeserver.yaml): waiting ${shortDuration(Math.ceil(ms / 1_000) * 1_000)}.`;
}

/** An account that was there before us, or that somebody gave us the password of, is not ours to end. */
async function recordCreated(
  recording: Recording | null,
  userId: UserId,
  there: boolean,
  isGiven: boolean,
): Promise<void> {
  if (recording === null || (there && !isGiven)) return;
  const others = recording.record.madeAccounts.filter((id) => id !== userId);
  await recording.change({ madeAccounts: isGiven ? others : [...others, userId] });
}

async function readPassword(file: string): Promise<string> {
  const read = await readSecretFile(file);
  if ('secret' in read) return read.secret;
  throw new MintwardenError('state', read.problem, 'Remove the file, or fix it, and run init again.');
}
