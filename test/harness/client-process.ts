import { randomUUID } from 'node:crypto';
import { createClientView } from './client-view.ts';
import type { EncryptedClient, TimelineEvent } from './encrypted-client.ts';
import { startJsonLinesProcess } from './json-lines-process.ts';
import { matrixRequest } from './matrix-http.ts';

/** What a client needs to know of the person using it. */
export interface ClientUser {
  userId: string;
  password: string;
}

/** An encrypted client together with the line to its process, for what only one kind of client can do. */
export interface ClientProcess extends EncryptedClient {
  call(method: string, params?: unknown): Promise<unknown>;
}

/**
 * Starts a client process, logs it in and waits for its first sync. The process does what needs its
 * keys and its view of the rooms; plain requests are made here with its access token.
 */
export async function startClientProcess(options: {
  kind: string;
  command: string;
  args: readonly string[];
  baseUrl: string;
  user: ClientUser;
  login: Record<string, unknown>;
}): Promise<ClientProcess> {
  const { baseUrl, user } = options;
  const view = createClientView(user.userId);
  const child = startJsonLinesProcess({
    name: `${user.userId}'s ${options.kind}`,
    command: options.command,
    args: options.args,
    onEvent: view.take,
  });
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(child.end);
  const { deviceId, accessToken } = (await child.call('login', { baseUrl, ...user, ...options.login })) as {
    deviceId: string;
    accessToken: string;
  };

  const request = <T>(method: string, path: string, body?: unknown): Promise<T> =>
    matrixRequest<T>(baseUrl, method, `/_matrix/client/v3/${path}`, { token: accessToken, body });
  const inRoom = (roomId: string, rest: string): string => `rooms/${encodeURIComponent(roomId)}/${rest}`;
  const put = async (roomId: string, rest: string, content: object): Promise<string> =>
    (await request<{ event_id: string }>('PUT', inRoom(roomId, rest), content)).event_id;
  const sendPlaintext = (roomId: string, type: string, content: object): Promise<string> =>
    put(roomId, `send/${encodeURIComponent(type)}/${randomUUID()}`, content);
  const sendEncrypted = async (roomId: string, type: string, content: object): Promise<string> =>
    (await child.call('send', { roomId, type, content })) as string;
  const waitForMessage: EncryptedClient['waitForMessage'] = (predicate, wait = {}) =>
    view.waitFor(() => view.events().find(predicate), { what: 'a message', ...wait });

  const atEnd = cleanup.move();
  return {
    userId: user.userId,
    deviceId,
    accessToken,
    call: child.call,
    createRoom: async (room = {}) => {
      const { room_id } = await request<{ room_id: string }>('POST', 'createRoom', {
        preset: 'private_chat',
        ...(room.name === undefined ? {} : { name: room.name }),
        invite: room.invite ?? [],
        is_direct: room.isDirect ?? false,
        initial_state: room.encrypted === false ? [] : [encryption],
        ...room.more,
      });
      await view.waitFor(() => view.membership(room_id, user.userId), { what: 'its own new room' });
      return room_id;
    },
    join: async (roomId) => {
      await request('POST', `join/${encodeURIComponent(roomId)}`, {});
      await view.waitFor(() => view.membership(roomId, user.userId) === 'join' || undefined, {
        what: 'the room it joined',
      });
    },
    leave: async (roomId) => {
      await request('POST', inRoom(roomId, 'leave'), {});
    },
    invite: async (roomId, userId) => {
      await request('POST', inRoom(roomId, 'invite'), { user_id: userId });
    },
    say: (roomId, text, say = {}) =>
      sendEncrypted(roomId, 'm.room.message', {
        msgtype: 'm.text',
        body: text,
        ...(say.html === undefined ? {} : { format: 'org.matrix.custom.html', formatted_body: say.html }),
        ...(say.mentions === undefined ? {} : { 'm.mentions': { user_ids: say.mentions } }),
        ...(say.replyTo === undefined
          ? {}
          : { 'm.relates_to': { 'm.in_reply_to': { event_id: say.replyTo } } }),
      }),
    edit: (roomId, eventId, text) =>
      sendEncrypted(roomId, 'm.room.message', {
        msgtype: 'm.text',
        body: `* ${text}`,
        'm.new_content': { msgtype: 'm.text', body: text },
        'm.relates_to': { rel_type: 'm.replace', event_id: eventId },
      }),
    sendEncrypted,
    sendPlaintext,
    react: (roomId, eventId, key) =>
      sendPlaintext(roomId, 'm.reaction', {
        'm.relates_to': { rel_type: 'm.annotation', event_id: eventId, key },
      }),
    redact: (roomId, eventId, reason) =>
      put(
        roomId,
        `redact/${encodeURIComponent(eventId)}/${randomUUID()}`,
        reason === undefined ? {} : { reason },
      ),
    setState: (roomId, type, content, stateKey = '') =>
      put(roomId, `state/${encodeURIComponent(type)}/${encodeURIComponent(stateKey)}`, content),
    ignore: async (userIds) => {
      const ignored_users = Object.fromEntries(userIds.map((id) => [id, {}]));
      await request('PUT', `user/${encodeURIComponent(user.userId)}/account_data/m.ignored_user_list`, {
        ignored_users,
      });
    },
    wireEvent: (roomId, eventId) => request('GET', inRoom(roomId, `event/${encodeURIComponent(eventId)}`)),
    timeline: (roomId) => view.events().filter((event) => event.roomId === roomId),
    waitForMessage,
    waitForReply: (eventId, wait = {}) =>
      waitForMessage((event) => repliesTo(event) === eventId, { what: `a reply to ${eventId}`, ...wait }),
    invites: view.invites,
    waitForInvite: (predicate = () => true, wait = {}) =>
      view.waitFor(() => view.invites().find(predicate), { what: 'an invitation', ...wait }),
    waitForMember: async (roomId, userId, membership = 'join', wait = {}) => {
      const what = `${userId} to be "${membership}" in ${roomId}`;
      await view.waitFor(() => view.membership(roomId, userId) === membership || undefined, {
        what,
        ...wait,
      });
    },
    [Symbol.asyncDispose]: () => atEnd.disposeAsync(),
  };
}

const encryption = {
  type: 'm.room.encryption',
  state_key: '',
  content: { algorithm: 'm.megolm.v1.aes-sha2' },
};

function repliesTo(event: TimelineEvent): string | undefined {
  const relation = event.content['m.relates_to'] as { 'm.in_reply_to'?: { event_id?: string } } | undefined;
  return relation?.['m.in_reply_to']?.event_id;
}
