import {
  ClientEvent,
  createClient,
  EventType,
  HttpApiEvent,
  type MatrixEvent,
  MsgType,
  RelationType,
  type SyncStateData,
  SyncState,
} from 'matrix-js-sdk';
import type { Logger } from 'matrix-js-sdk/lib/logger.js';
import type { RoomMessageEventContent } from 'matrix-js-sdk/lib/types.js';
import { editOf, type Held, type HolderClient } from './holder-client.ts';
import { HarnessError } from './harness-error.ts';

const nothing = (): void => undefined;
const silent: Logger = {
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  getChild: () => silent,
};

/**
 * Matrix-js-sdk, as a web client or a bot made with it has it.
 * @param deviceId of a client that encrypts: then with the Rust engine, as that device
 */
export function jsSdkHolder({ baseUrl, token, userId }: Held, deviceId?: string): HolderClient {
  const client = createClient({
    baseUrl,
    accessToken: token,
    userId,
    logger: silent,
    ...(deviceId === undefined ? {} : { deviceId }),
  });
  let over: string | null = null;
  client.on(HttpApiEvent.SessionLoggedOut, (error) => {
    over = error.message;
  });
  const roomOf = (roomId: string) => {
    const room = client.getRoom(roomId);
    if (room === null) throw new HarnessError(`matrix-js-sdk knows no room ${roomId}.`);
    return room;
  };
  const textsOf = (roomId: string) => roomOf(roomId).getLiveTimeline().getEvents().map(textOf);
  return {
    name: 'matrix-js-sdk',
    start: async () => {
      const prepared = new Promise<void>((resolve, reject) => {
        client.on(ClientEvent.Sync, (state: SyncState, _: SyncState | null, data?: SyncStateData) => {
          if (state === SyncState.Prepared) resolve();
          if (state === SyncState.Error) reject(data?.error ?? new HarnessError('The sync failed.'));
        });
      });
      if (deviceId !== undefined) await client.initRustCrypto({ useIndexedDB: false });
      await client.startClient({ initialSyncLimit: 20, lazyLoadMembers: true });
      await prepared;
    },
    rooms: async () => client.getRooms().map(({ roomId }) => roomId),
    join: async (roomId) => {
      await client.joinRoom(roomId);
    },
    nameOf: async (roomId) => roomOf(roomId).name,
    members: async (roomId) => {
      await roomOf(roomId).loadMembersIfNeeded();
      return roomOf(roomId)
        .getJoinedMembers()
        .map((member) => member.userId);
    },
    heard: async (roomId) => textsOf(roomId),
    history: async (roomId) => {
      await client.scrollback(roomOf(roomId), 50);
      return textsOf(roomId);
    },
    say: async (roomId, body) => (await client.sendTextMessage(roomId, body)).event_id,
    reply: async (roomId, eventId, body) => {
      const content = {
        msgtype: MsgType.Text as const,
        body,
        'm.relates_to': { 'm.in_reply_to': { event_id: eventId } },
      };
      return (await client.sendMessage(roomId, content)).event_id;
    },
    react: async (roomId, eventId, key) => {
      const relation = { rel_type: RelationType.Annotation as const, event_id: eventId, key };
      return (await client.sendEvent(roomId, EventType.Reaction, { 'm.relates_to': relation })).event_id;
    },
    edit: async (roomId, eventId, text) =>
      (await client.sendMessage(roomId, editOf(eventId, text) as unknown as RoomMessageEventContent))
        .event_id,
    redact: async (roomId, eventId) => {
      await client.redactEvent(roomId, eventId);
    },
    upload: async (bytes, type) =>
      (await client.uploadContent(new Blob([bytes], { type }), { name: 'picture.png' })).content_uri,
    download: async (mxc) => {
      const address = client.mxcUrlToHttp(mxc, undefined, undefined, undefined, false, true, true);
      const answer = await fetch(address ?? '', { headers: { authorization: `Bearer ${token}` } });
      if (!answer.ok) throw new HarnessError(`${String(answer.status)}: ${await answer.text()}`);
      return new Uint8Array(await answer.arrayBuffer());
    },
    typing: async (roomId) => {
      await client.sendTyping(roomId, true, 2_000);
    },
    markRead: async (roomId, eventId) => {
      await client.sendReadReceipt(roomOf(roomId).findEventById(eventId) ?? null);
    },
    ended: async () =>
      client.getSyncState() === SyncState.Error || client.getSyncState() === SyncState.Stopped ? over : null,
    [Symbol.asyncDispose]: async () => client.stopClient(),
  };
}

function textOf(event: MatrixEvent): string {
  return String(event.getContent()['body']);
}
