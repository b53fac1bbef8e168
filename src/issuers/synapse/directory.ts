import { parseRoomId, parseUserId, serverOf, type RoomId, type UserId } from '../../domain/ids.ts';
import type { Directory, SubjectFacts } from '../../ports/directory.ts';
import { invitePermission } from '../../domain/invite-permission.ts';
import { replacementOf } from '../../domain/upgrade.ts';
import { path, type Http, type JsonObject } from './http.ts';
import { createNoticesRooms, roomList } from './notices-room.ts';
import { bodyOf, invalidResponse, refusalOf } from './outcome.ts';

const NO_NOTICES_REMEMBERED_MS = 60_000;
const MSC4155 = 'org.matrix.msc4155.invite_permission_config';

/** What the homeserver knows, by Synapse's admin API with the issuer's rights; aliases without any rights. */
export function createDirectory(parts: {
  readonly http: Http;
  readonly issuerToken: () => string;
  readonly serverName: string;
  readonly botUserId: UserId;
}): Directory {
  const { http, issuerToken, serverName, botUserId } = parts;

  const get = async (
    literals: TemplateStringsArray,
    ...ids: readonly string[]
  ): Promise<JsonObject | null> => {
    const answer = await http.ask({ method: 'GET', path: path(literals, ...ids), token: issuerToken() });
    return bodyOf(answer, whatIs(literals));
  };

  /**
   * The room's own event of that type, with an empty key. An older Synapse does not know the filter and gives
   * all of the state.
   */
  const stateEvent = async (
    roomId: RoomId,
    type: 'm.room.create' | 'm.room.tombstone',
  ): Promise<JsonObject | null> => {
    const whole =
      type === 'm.room.create'
        ? get`/_synapse/admin/v1/rooms/${roomId}/state?type=m.room.create`
        : get`/_synapse/admin/v1/rooms/${roomId}/state?type=m.room.tombstone`;
    const body = await whole;
    if (body === null) return null;
    const { state } = body;
    if (!Array.isArray(state)) throw invalidResponse("a room's state");
    const found = (state as unknown[]).filter(
      (event): event is JsonObject => isObject(event) && event['type'] === type && event['state_key'] === '',
    );
    if (
      found.length > 1 ||
      found.some((event) => event['room_id'] !== undefined && event['room_id'] !== roomId)
    )
      throw invalidResponse("a room's state");
    return found[0] ?? null;
  };

  const notice = async (userId: UserId, content: JsonObject, transactionId: string): Promise<string> => {
    const answer = await http.ask({
      method: 'PUT',
      path: path`/_synapse/admin/v1/send_server_notice/${transactionId}`,
      token: issuerToken(),
      body: { user_id: userId, content },
    });
    const eventId = bodyOf(answer, 'sending a server notice')?.['event_id'];
    if (typeof eventId !== 'string') throw invalidResponse('sending a server notice');
    return eventId;
  };

  const noticeToIssuer = async (): Promise<string> => {
    const me = parseUserId(String((await get`/_matrix/client/v3/account/whoami`)?.['user_id']));
    if (me === null) throw invalidResponse('the issuer account');
    const text = 'Mintwarden looks up here which account server notices come from. There is nothing to do.';
    return notice(me, { msgtype: 'm.notice', body: text }, 'mintwarden-who-sends-notices');
  };
  const noticesRooms = createNoticesRooms({ get, noticeToIssuer });

  // That it has them is for ever: their rooms stay. That it has none may change with its next restart.
  let noticesConfigured: boolean | null = null;
  let askedAt = Number.NEGATIVE_INFINITY;
  const hasServerNotices = async (): Promise<boolean> => {
    if (noticesConfigured === true) return true;
    if (noticesConfigured === false && performance.now() - askedAt < NO_NOTICES_REMEMBERED_MS) return false;
    // Nobody can register a name with capitals: nothing is ever sent by this, but Synapse says what it would
    // have done.
    const answer = await http.ask({
      method: 'POST',
      path: '/_synapse/admin/v1/send_server_notice',
      token: issuerToken(),
      body: { user_id: `@Mintwarden-Nobody:${serverName}`, content: {} },
    });
    askedAt = performance.now();
    noticesConfigured = null;
    const refusal = answer.kind === 'answer' ? refusalOf(answer) : null;
    if (refusal?.status === 404 && refusal.errcode === 'M_NOT_FOUND') noticesConfigured = true;
    else if (refusal?.status === 400 && refusal.errcode === 'M_UNKNOWN') noticesConfigured = false;
    if (noticesConfigured !== null) return noticesConfigured;
    bodyOf(answer, 'whether it has server notices');
    throw invalidResponse('whether it has server notices');
  };

  /** Their invitations are not blocked, but they can be hidden, and what they say can be ignored. */
  const refusesNotices = async (settings: JsonObject, noticesRoom: RoomId | null): Promise<boolean> => {
    if (settings['m.ignored_user_list'] === undefined && settings[MSC4155] === undefined) return false;
    const sender = await noticesRooms.sender();
    if (ignores(settings, sender)) return true;
    return noticesRoom === null && invitePermission(settings, sender) === 'ignore';
  };

  return {
    serverName,
    async subject(userId) {
      if (serverOf(userId) !== serverName) return null;
      const user = await get`/_synapse/admin/v2/users/${userId}`;
      if (user === null) return null;
      const [rooms, data, hasNotices] = await Promise.all([
        get`/_synapse/admin/v1/users/${userId}/joined_rooms`,
        get`/_synapse/admin/v1/users/${userId}/accountdata`,
        hasServerNotices(),
      ]);
      // Two answers of one moment may disagree where the user was deleted in between.
      if (rooms === null || data === null) return null;
      const joinedRooms = roomList(rooms, "a user's rooms");
      const noticesRoom = hasNotices ? await noticesRooms.among(joinedRooms) : null;
      const settings = globalAccountData(data);
      return {
        ...accountState(user, userId),
        joinedRooms,
        noticesRoom,
        ignoresBot: ignores(settings, botUserId),
        invites: invitePermission(settings, botUserId),
        refusesNotices: hasNotices && (await refusesNotices(settings, noticesRoom)),
      };
    },

    async room(roomId) {
      const room = await get`/_synapse/admin/v1/rooms/${roomId}`;
      if (room === null) return null;
      const { name = null, encryption = null } = room as { name?: unknown; encryption?: unknown };
      const well = isTextOrNull(name) && isTextOrNull(encryption) && room['room_id'] === roomId;
      if (!well) throw invalidResponse('a room');
      return { roomId, name: name === '' ? null : name, encrypted: encryption !== null };
    },

    async creator(roomId) {
      const create = await stateEvent(roomId, 'm.room.create');
      if (create === null) return null;
      const sender = typeof create['sender'] === 'string' ? parseUserId(create['sender']) : null;
      if (sender === null) throw invalidResponse('who made a room');
      return sender;
    },

    async invitedRooms(userId) {
      const answer = await http.ask({
        method: 'GET',
        path: path`/_synapse/admin/v1/users/${userId}/memberships`,
        token: issuerToken(),
      });
      // An older Synapse does not know it.
      if (answer.kind === 'answer' && refusalOf(answer)?.errcode === 'M_UNRECOGNIZED') return [];
      const body = bodyOf(answer, "a user's invites");
      return invites(member(body ?? {}, 'memberships', true) ?? {});
    },

    async replacement(roomId) {
      const tombstone = (await stateEvent(roomId, 'm.room.tombstone'))?.['content'];
      const named =
        typeof tombstone === 'object' && tombstone !== null
          ? Reflect.get(tombstone, 'replacement_room')
          : null;
      const next = typeof named === 'string' ? parseRoomId(named) : null;
      if (next === null) return null;
      return replacementOf(roomId, tombstone, (await stateEvent(next, 'm.room.create'))?.['content']);
    },

    async resolveAlias(alias): Promise<RoomId | null> {
      const answer = await http.ask({
        method: 'GET',
        path: path`/_matrix/client/v3/directory/room/${alias}`,
      });
      const body = bodyOf(answer, 'a room alias');
      if (body === null) return null;
      const roomId = typeof body['room_id'] === 'string' ? parseRoomId(body['room_id']) : null;
      if (roomId === null) throw invalidResponse('a room alias');
      return roomId;
    },

    hasServerNotices,

    async isNoticesRoom(roomId) {
      return (await hasServerNotices()) && (await noticesRooms.among([roomId])) !== null;
    },

    async sendServerNotice(userId, content, transactionId) {
      const eventId = await notice(
        userId,
        {
          msgtype: 'm.text',
          body: content.body,
          format: 'org.matrix.custom.html',
          formatted_body: content.html,
        },
        transactionId,
      );
      return { eventId };
    },
  };
}

/**
 * The parts of a user's record that decide whether it can be minted for. A missing one is never taken for
 * "no".
 */
export function accountState(
  user: JsonObject,
  userId: UserId,
): Pick<SubjectFacts, 'userId' | 'deactivated' | 'locked' | 'admin'> {
  const flag = (key: string): boolean => {
    const value = user[key];
    // Synapse before 1.9x gave 0 and 1 for some of them.
    if (value === true || value === 1) return true;
    if (value === false || value === 0) return false;
    throw invalidResponse('a user');
  };
  if (user['name'] !== userId) throw invalidResponse('a user');
  return { userId, deactivated: flag('deactivated'), locked: flag('locked'), admin: flag('admin') };
}

function globalAccountData(data: JsonObject): JsonObject {
  return member(member(data, 'account_data', true), 'global', true) ?? {};
}

function ignores(settings: JsonObject, userId: UserId): boolean {
  // The list is the user's own writing: what is not well-formed ignores nobody, as clients and Synapse take
  // it.
  const ignored = member(member(settings, 'm.ignored_user_list'), 'ignored_users');
  return ignored !== null && Object.hasOwn(ignored, userId);
}

function member(object: JsonObject | null, key: string, isRequired = false): JsonObject | null {
  const value = object?.[key];
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  if (isRequired) throw invalidResponse("a user's account data");
  return null;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invites(memberships: JsonObject): readonly RoomId[] {
  return Object.entries(memberships).flatMap(([id, membership]) => {
    const room = membership === 'invite' ? parseRoomId(id) : null;
    return room === null ? [] : [room];
  });
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === 'string';
}

function whatIs(literals: TemplateStringsArray): string {
  const whole = literals.join('…');
  if (whole.endsWith('joined_rooms')) return "a user's rooms";
  if (whole.endsWith('accountdata')) return "a user's account data";
  if (whole.includes('/state?')) return "a room's state";
  if (whole.includes('/rooms/')) return 'a room';
  if (whole.includes('/fetch_event/')) return 'an event';
  return whole.endsWith('whoami') ? 'the issuer account' : 'a user';
}
