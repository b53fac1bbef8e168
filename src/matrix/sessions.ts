import { setTimeout as sleep } from 'node:timers/promises';
import { MintwardenError } from '../domain/errors.ts';
import { parseUserId, type UserId } from '../domain/ids.ts';
import { HomeserverRefusal, invalidResponse, retryAfterMs } from './homeserver-errors.ts';
import { createHomeserverClient, path, stringAt, type JsonObject } from './homeserver.ts';

/** A session that a login gave. `accessToken` is a secret. */
export type Session = {
  readonly accessToken: string;
  readonly deviceId: string;
  readonly userId: UserId;
  /** Null: it does not end by itself. */
  readonly expiresInMs: number | null;
};

/** What the homeserver asks to be waited for before the next login, at most, is some five minutes each time. */
const MAX_WAITS = 4;
const DEFAULT_WAIT_MS = 30_000;

/**
 * Logs in with a password, as a new device, or as `deviceId`. Where the homeserver limits logins, `onWait` is told
 * and the login is tried again after the time; without it, that is an error.
 * @throws MintwardenError `homeserver-refused` where the password is wrong or the homeserver has no password
 *   login; `homeserver-unreachable`, also while the homeserver limits logins
 */
export async function loginWithPassword(
  homeserverUrl: string,
  user: string,
  password: string,
  deviceName: string,
  more: { readonly deviceId?: string; readonly onWait?: (ms: number) => void } = {},
): Promise<Session> {
  const homeserver = createHomeserverClient({ homeserverUrl, accessToken: null });
  const body = {
    type: 'm.login.password',
    identifier: { type: 'm.id.user', user },
    password,
    ...(more.deviceId === undefined
      ? { initial_device_display_name: deviceName }
      : { device_id: more.deviceId }),
  };
  for (let waits = 0; ; waits++) {
    try {
      return toSession(await homeserver.request('POST', path`/login`, { body }));
    } catch (error) {
      if (!(error instanceof HomeserverRefusal)) throw error;
      if (error.status !== 429) throw refusedLogin(user, error);
      const ms = retryAfterMs(error.body) ?? DEFAULT_WAIT_MS;
      if (more.onWait === undefined || waits === MAX_WAITS) throw limitedLogin(ms, error);
      more.onWait(ms);
      await sleep(ms);
    }
  }
}

/** Ends a session. A token that is dead already is no error. */
export async function logout(homeserverUrl: string, accessToken: string): Promise<void> {
  try {
    await createHomeserverClient({ homeserverUrl, accessToken }).request('POST', path`/logout`, { body: {} });
  } catch (error) {
    if (!(error instanceof HomeserverRefusal) || error.errcode !== 'M_UNKNOWN_TOKEN') throw error;
  }
}

function toSession(answer: JsonObject): Session {
  const [accessToken, deviceId] = [stringAt(answer, 'access_token'), stringAt(answer, 'device_id')];
  const userId = parseUserId(stringAt(answer, 'user_id') ?? '');
  if (accessToken === null || deviceId === null || userId === null)
    throw invalidResponse('a login without a session');
  const expires = answer['expires_in_ms'];
  return { accessToken, deviceId, userId, expiresInMs: typeof expires === 'number' ? expires : null };
}

function refusedLogin(user: string, error: HomeserverRefusal): MintwardenError {
  if (error.code !== 'homeserver-refused') return error;
  const next = 'Check its password, and that password login is on (in Synapse: `password_config`).';
  const sentence = `${user} could not log in (${error.errcode || error.status}).`;
  return new MintwardenError('homeserver-refused', sentence, next, { cause: error });
}

function limitedLogin(ms: number, cause: HomeserverRefusal): MintwardenError {
  const next = `Try again in ${String(Math.ceil(ms / 1_000))} s, or raise rc_login in homeserver.yaml.`;
  return new MintwardenError('homeserver-unreachable', 'The homeserver limits logins.', next, { cause });
}
