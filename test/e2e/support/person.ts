import type { RoomId, UserId } from '../../../src/domain/ids.ts';
import { matrixRequest } from '../../harness/matrix-http.ts';
import type { SynapseServer } from '../../harness/synapse.ts';
import type { TestUser } from '../../harness/synapse-users.ts';

export const V3 = '/_matrix/client/v3';

/** A user of a homeserver, and what tests do as them with their own, unscoped token. */
export interface Person extends TestUser {
  readonly userId: UserId;
  /** One request of theirs. Throws `MatrixHttpError` unless answered 2xx. */
  request<T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<T>;
  /** Creates a room that `members` are invited to and join; `options` are those of `POST /createRoom`. */
  createRoom(options?: Readonly<Record<string, unknown>>, ...members: readonly Person[]): Promise<RoomId>;
  join(room: string): Promise<void>;
  /** Sends a message-like event. Gives its id. */
  send(room: string, type: string, content: object): Promise<string>;
  /** Sends a text message. Gives the event's id. */
  say(room: string, body: string): Promise<string>;
  /** Uploads a file. Gives its `mxc:` address. */
  upload(bytes: Uint8Array<ArrayBuffer>, type: string, name?: string): Promise<string>;
  /** A token that speaks for them without a device, as Mintwarden's issuer gets it: good for an hour. */
  upstreamToken(): Promise<string>;
}

/** Registers somebody whom no other test knows. */
export async function registerPerson(synapse: SynapseServer, name: string): Promise<Person> {
  return personOf(synapse, await synapse.uniqueUser(name));
}

/** `below` the room in the client-server API. */
export function roomPath(room: string, below: string): string {
  return `${V3}/rooms/${encodeURIComponent(room)}/${below}`;
}

let transactions = 0;

function personOf(synapse: SynapseServer, user: TestUser): Person {
  const request: Person['request'] = (method, path, body) =>
    matrixRequest(synapse.baseUrl, method, path, {
      token: user.accessToken,
      ...(body === undefined ? {} : { body }),
    });
  const person: Person = {
    ...user,
    userId: user.userId as UserId,
    request,
    async createRoom(options = {}, ...members) {
      const invite = members.map(({ userId }) => userId);
      const body = invite.length === 0 ? options : { invite, ...options };
      const { room_id: room } = await request<{ room_id: RoomId }>('POST', `${V3}/createRoom`, body);
      for (const member of members) await member.join(room);
      return room;
    },
    async join(room) {
      await request('POST', `${V3}/join/${encodeURIComponent(room)}`, {});
    },
    async send(room, type, content) {
      const path = roomPath(room, `send/${type}/p${String((transactions += 1))}`);
      return (await request<{ event_id: string }>('PUT', path, content)).event_id;
    },
    say: (room, body) => person.send(room, 'm.room.message', { msgtype: 'm.text', body }),
    async upload(bytes, type, name) {
      const query = name === undefined ? '' : `?filename=${encodeURIComponent(name)}`;
      const response = await fetch(`${synapse.baseUrl}/_matrix/media/v3/upload${query}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${user.accessToken}`, 'content-type': type },
        body: bytes,
      });
      return ((await response.json()) as { content_uri: string }).content_uri;
    },
    async upstreamToken() {
      const path = `/_synapse/admin/v1/users/${encodeURIComponent(user.userId)}/login`;
      const minted = await matrixRequest<{ access_token: string }>(synapse.baseUrl, 'POST', path, {
        token: synapse.adminToken,
        body: { valid_until_ms: Date.now() + 3_600_000 },
      });
      return minted.access_token;
    },
  };
  return person;
}
