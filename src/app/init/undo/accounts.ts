import { readSecretFile } from '../../../config/index.ts';
import { MintwardenError } from '../../../domain/errors.ts';
import type { RoomId, UserId } from '../../../domain/ids.ts';
import { createSynapse, type Synapse } from '../../../issuers/synapse/synapse.ts';
import { loginWithPassword, logout } from '../../../matrix/sessions.ts';
import { HomeserverRefusal } from '../../../matrix/homeserver-errors.ts';
import { createHomeserverClient, path } from '../../../matrix/homeserver.ts';
import type { Log } from '../../../ports/log.ts';

const TIMEOUT_MS = 30_000;

/** One of the two accounts with what opens it; null: not known. Secrets. */
export type OurAccount = {
  readonly userId: UserId;
  readonly token: string | null;
  readonly password: string | null;
};

/** Where accounts are ended. */
export type HomeserverTarget = {
  readonly homeserverUrl: string;
  readonly serverName: string;
  readonly log: Log;
};

/** The secret in a file, or null. */
export async function readSecret(file: string): Promise<string | null> {
  const read = await readSecretFile(file);
  return 'secret' in read ? read.secret : null;
}

/** The Synapse as the user of this token. Dispose of it. */
export function connectSynapse({ homeserverUrl, serverName, log }: HomeserverTarget, token: string): Synapse {
  const botUserId = `@nobody:${serverName}` as UserId;
  return createSynapse({
    homeserverUrl,
    serverName,
    issuerToken: () => token,
    botUserId,
    timeoutMs: TIMEOUT_MS,
    log,
  });
}

/**
 * What our secrets come to. `gone`: the account was ended. `shut`: they do not open it. `token` is a secret.
 */
export type SessionState =
  | { readonly kind: 'open'; readonly token: string }
  | { readonly kind: 'gone' | 'shut' };

/** A session of an account: the one we have, or a new one by its password. */
export async function openSession(target: HomeserverTarget, account: OurAccount): Promise<SessionState> {
  if (account.token !== null) {
    await using synapse = connectSynapse(target, account.token);
    if ((await synapse.admin.whoami(account.token)) === account.userId)
      return { kind: 'open', token: account.token };
  }
  if (account.password === null) return { kind: 'shut' };
  try {
    const session = await loginWithPassword(
      target.homeserverUrl,
      account.userId,
      account.password,
      'Mintwarden (init --undo)',
    );
    return { kind: 'open', token: session.accessToken };
  } catch (error) {
    if (!(error instanceof MintwardenError) || error.code !== 'homeserver-refused') throw error;
    const { cause } = error;
    return {
      kind: cause instanceof HomeserverRefusal && cause.errcode === 'M_USER_DEACTIVATED' ? 'gone' : 'shut',
    };
  }
}

/** Leaves a room. Not being in it is no error. */
export async function leaveRoom(target: HomeserverTarget, token: string, roomId: RoomId): Promise<void> {
  try {
    await createHomeserverClient({ homeserverUrl: target.homeserverUrl, accessToken: token }).request(
      'POST',
      path`/rooms/${roomId}/leave`,
      {
        body: {},
      },
    );
  } catch (error) {
    if (!(error instanceof HomeserverRefusal) || (error.status !== 403 && error.status !== 404)) throw error;
  }
}

/**
 * Ends an account that init made, if it is still the one that our secrets open; logs out of any other.
 * @returns what was done, as a sentence
 */
export async function retireAccount(
  target: HomeserverTarget,
  synapse: Synapse,
  account: OurAccount,
  how: { readonly deactivate: boolean; readonly restoreLimit: boolean },
): Promise<string> {
  const { userId } = account;
  const found = await synapse.admin.account(userId);
  if (found === null) return `There is no account ${userId}.`;
  if (found.deactivated) return `The account ${userId} is deactivated.`;
  const session = await openSession(target, account);
  if (how.restoreLimit) await synapse.admin.restoreRateLimit(userId);
  if (session.kind !== 'open') {
    return session.kind === 'gone'
      ? `The account ${userId} is deactivated.`
      : `The account ${userId} stays: our secrets do not open it, so it is not taken for ours.`;
  }
  if (how.deactivate) {
    await synapse.admin.deactivate(userId);
    return `Deactivated the account ${userId}.`;
  }
  await logout(target.homeserverUrl, session.token);
  return `The account ${userId} stays; its session is logged out.`;
}
