import { parseUserId, type RoomId, type UserId } from '../../domain/ids.ts';
import { accountState } from './directory.ts';
import { isBearer, path, type Http, type JsonObject } from './http.ts';
import { bodyOf, invalidResponse, refusalOf } from './outcome.ts';

/** An account as `init` and `doctor` look at it. */
export type Account = {
  readonly userId: UserId;
  readonly admin: boolean;
  readonly deactivated: boolean;
  readonly locked: boolean;
  /** `bot` for accounts that Synapse asks no consent of. */
  readonly userType: string | null;
};

/** What an account may send; both zero mean no limit. */
type RateLimit = { readonly messagesPerSecond: number; readonly burstCount: number };

/**
 * What setting up and looking after Mintwarden needs of a Synapse. Every method throws MintwardenError
 * `homeserver-unreachable`, `homeserver-refused` or `homeserver-invalid-response` where it got no usable answer.
 */
export type AdminApi = {
  /** Synapse's version, for example `1.163.2`; null where the server is no Synapse. Needs no rights. */
  version(): Promise<string | null>;
  /** Logins are left to the Matrix Authentication Service. Needs no rights. */
  usesAuthenticationService(): Promise<boolean>;
  /** Whether accounts can log in with a password. Needs no rights. */
  hasPasswordLogin(): Promise<boolean>;
  /** Whose token it is; null where the homeserver does not know it, or its user is locked or deactivated. */
  whoami(token: string): Promise<UserId | null>;
  /** The largest file that the homeserver takes from whose token it is, in bytes; null where it says none. */
  uploadSize(token: string): Promise<number | null>;
  /** Whether the token that this was made with is a server administrator's. */
  isAdmin(): Promise<boolean>;
  /** How the account of the token that this was made with stands with the homeserver. */
  issuerStatus(): Promise<'ok' | 'logged-out' | 'not-admin'>;
  /** Null where there is no such user. */
  account(userId: UserId): Promise<Account | null>;
  /**
   * Makes a bot's account. Only for a name that `account` says is free: an existing one's password is
   * replaced.
   */
  makeAccount(
    userId: UserId,
    options: { readonly password: string; readonly admin: boolean; readonly displayName: string },
  ): Promise<void>;
  /** The exception made for a user; null where there is none. */
  rateLimit(userId: UserId): Promise<RateLimit | null>;
  liftRateLimit(userId: UserId): Promise<void>;
  /** Takes the exception made for a user away; none is no error. */
  restoreRateLimit(userId: UserId): Promise<void>;
  /**
   * Ends an account for good: it leaves its rooms, its sessions and password are gone. Its name stays taken.
   */
  deactivate(userId: UserId): Promise<void>;
  /** The state events of a room, as they came; null where the homeserver does not know the room. */
  roomState(roomId: RoomId): Promise<readonly unknown[] | null>;
  /**
   * A page of a room's events, by the query of `GET /rooms/{roomId}/messages`; null where the homeserver does
   * not know the room.
   */
  roomMessages(roomId: RoomId, query: Readonly<Record<string, string>>): Promise<JsonObject | null>;
  /** Makes everybody of this homeserver leave a room. What was said there is kept by the homeserver. */
  emptyRoom(roomId: RoomId): Promise<void>;
  /** The homeserver's clock (its `Date` header, whole seconds) in epoch ms; null where it sends none. */
  clock(): Promise<number | null>;
};

/** See `AdminApi`; asks with the token it is given. */
export function createAdminApi(parts: {
  readonly http: Http;
  readonly token: () => string;
  readonly serverName: string;
}): AdminApi {
  const { http, token, serverName } = parts;
  const get = async (where: string, asked: string, rights = true): Promise<JsonObject | null> =>
    bodyOf(await http.ask({ method: 'GET', path: where, ...(rights ? { token: token() } : {}) }), asked);

  const send = async (
    method: 'PUT' | 'POST' | 'DELETE',
    where: string,
    body: JsonObject,
    asked: string,
    mayLack = false,
  ): Promise<void> => {
    if (bodyOf(await http.ask({ method, path: where, token: token(), body }), asked) === null && !mayLack)
      throw invalidResponse(asked);
  };

  return {
    async version() {
      const answer = await http.ask({ method: 'GET', path: '/_synapse/admin/v1/server_version' });
      if (answer.kind === 'answer' && answer.status >= 400 && answer.status < 500) return null;
      const found = bodyOf(answer, 'its version')?.['server_version'];
      return typeof found === 'string' ? (/^[0-9][0-9A-Za-z.+-]{0,40}/.exec(found)?.[0] ?? null) : null;
    },

    async usesAuthenticationService() {
      // The name it has in the specification, and the one it had before (MSC2965).
      for (const where of ['v1/auth_metadata', 'unstable/org.matrix.msc2965/auth_metadata']) {
        const answer = await http.ask({ method: 'GET', path: `/_matrix/client/${where}` });
        if (answer.kind === 'answer' && answer.status === 200 && answer.body !== null) return true;
        if (answer.kind !== 'answer' || refusalOf(answer) === null) bodyOf(answer, 'how it does logins');
      }
      return false;
    },

    async hasPasswordLogin() {
      const answer = await http.ask({ method: 'GET', path: '/_matrix/client/v3/login' });
      if (answer.kind === 'answer' && refusalOf(answer)?.status === 404) return false;
      const flows = bodyOf(answer, 'how one can log in')?.['flows'];
      if (!Array.isArray(flows)) throw invalidResponse('how one can log in');
      return flows.some((flow: JsonObject | null) => flow?.['type'] === 'm.login.password');
    },

    async whoami(someToken) {
      if (!isBearer(someToken)) return null;
      const answer = await http.ask({
        method: 'GET',
        path: '/_matrix/client/v3/account/whoami',
        token: someToken,
      });
      if (
        answer.kind === 'answer' &&
        (answer.status === 401 || answer.status === 403) &&
        refusalOf(answer) !== null
      )
        return null;
      const found = parseUserId(String(bodyOf(answer, 'whose token it is')?.['user_id']));
      if (found === null) throw invalidResponse('whose token it is');
      return found;
    },

    async uploadSize(someToken) {
      const path = '/_matrix/client/v1/media/config';
      const found = bodyOf(
        await http.ask({ method: 'GET', path, token: someToken }),
        'how large files may be',
      );
      const bytes = found?.['m.upload.size'];
      return typeof bytes === 'number' && Number.isSafeInteger(bytes) && bytes >= 0 ? bytes : null;
    },

    async isAdmin() {
      const nobody = `@Mintwarden-Nobody:${serverName}`;
      const answer = await http.ask({
        method: 'GET',
        path: path`/_synapse/admin/v2/users/${nobody}`,
        token: token(),
      });
      const refusal = answer.kind === 'answer' ? refusalOf(answer) : null;
      if (refusal?.status === 403 || refusal?.status === 401) return false;
      bodyOf(answer, 'the rights of an account');
      return true;
    },

    async issuerStatus() {
      const nobody = `@Mintwarden-Nobody:${serverName}`;
      const answer = await http.ask({
        method: 'GET',
        path: path`/_synapse/admin/v2/users/${nobody}`,
        token: token(),
      });
      const refusal = answer.kind === 'answer' ? refusalOf(answer) : null;
      if (refusal?.status === 401) return 'logged-out';
      if (refusal?.status === 403) return 'not-admin';
      bodyOf(answer, 'the rights of an account');
      return 'ok';
    },

    async account(userId) {
      const user = await get(path`/_synapse/admin/v2/users/${userId}`, 'a user');
      if (user === null) return null;
      const userType = user['user_type'];
      return { ...accountState(user, userId), userType: typeof userType === 'string' ? userType : null };
    },

    makeAccount: (userId, { password, admin, displayName }) =>
      send(
        'PUT',
        path`/_synapse/admin/v2/users/${userId}`,
        { password, admin, displayname: displayName, user_type: 'bot', logout_devices: false },
        'making an account',
      ),

    async rateLimit(userId) {
      const limit = await get(
        path`/_synapse/admin/v1/users/${userId}/override_ratelimit`,
        'the limits of a user',
      );
      const { messages_per_second: messagesPerSecond, burst_count: burstCount } = limit ?? {};
      return typeof messagesPerSecond === 'number' && typeof burstCount === 'number'
        ? { messagesPerSecond, burstCount }
        : null;
    },

    liftRateLimit: (userId) =>
      send(
        'POST',
        path`/_synapse/admin/v1/users/${userId}/override_ratelimit`,
        { messages_per_second: 0, burst_count: 0 },
        'lifting the limits of a user',
      ),

    restoreRateLimit: (userId) =>
      send(
        'DELETE',
        path`/_synapse/admin/v1/users/${userId}/override_ratelimit`,
        {},
        'the limits of a user',
        true,
      ),

    deactivate: (userId) =>
      send(
        'POST',
        path`/_synapse/admin/v1/deactivate/${userId}`,
        { erase: false },
        'ending an account',
        true,
      ),

    async roomState(roomId) {
      const answer = await get(path`/_synapse/admin/v1/rooms/${roomId}/state`, 'the state of a room');
      if (answer === null) return null;
      if (!Array.isArray(answer['state'])) throw invalidResponse('the state of a room');
      return answer['state'];
    },

    roomMessages: (roomId, query) =>
      get(
        `${path`/_synapse/admin/v1/rooms/${roomId}/messages`}?${new URLSearchParams(query).toString()}`,
        'what was said in a room',
      ),

    emptyRoom: (roomId) =>
      send(
        'DELETE',
        path`/_synapse/admin/v1/rooms/${roomId}`,
        { block: false, purge: false },
        'closing a room',
        true,
      ),

    async clock() {
      const answer = await http.ask({ method: 'GET', path: '/_matrix/client/versions' });
      bodyOf(answer, 'its versions');
      const at = answer.kind === 'answer' && answer.date !== null ? Date.parse(answer.date) : Number.NaN;
      return Number.isNaN(at) ? null : at;
    },
  };
}
