import { type ILogger, LogService, MatrixClient } from 'matrix-bot-sdk';
import { HarnessError } from './harness-error.ts';
import { editOf, type Held, type HolderClient } from './holder-client.ts';
import { until } from '../support/wait.ts';

type Event = { event_id: string; content: { body?: string } };

/**
 * Matrix-bot-sdk, as a bot made with it has it. It takes no user id: it asks for it. One at a time: its log
 * is global.
 */
export function botSdkHolder({ baseUrl, token }: Held): HolderClient {
  const client = new MatrixClient(baseUrl, token);
  const texts = new Map<string, string[]>();
  let over: string | null = null;
  LogService.setLogger(listening((line) => (over = line.includes('M_UNKNOWN_TOKEN') ? line : over)));
  client.on('room.message', (roomId: string, event: Event) => {
    texts.set(roomId, [...(texts.get(roomId) ?? []), String(event.content.body)]);
  });
  return {
    name: 'matrix-bot-sdk',
    start: async () => {
      await client.start();
      await until(async () => ((await client.storageProvider.getSyncToken()) ?? '') !== '', 30_000, 20);
    },
    rooms: () => client.getJoinedRooms(),
    join: async (roomId) => {
      await client.joinRoom(roomId);
    },
    nameOf: async (roomId) =>
      ((await client.getRoomStateEvent(roomId, 'm.room.name', '')) as { name: string }).name,
    members: (roomId) => client.getJoinedRoomMembers(roomId),
    heard: async (roomId) => texts.get(roomId) ?? [],
    history: async (roomId, eventId) => {
      const { before, event, after } = await client.getEventContext(roomId, eventId, 20);
      return [...before, event, ...after].map(({ content }) => String((content as Event['content']).body));
    },
    say: (roomId, text) => client.sendText(roomId, text),
    reply: async (roomId, eventId, text) =>
      client.replyText(roomId, (await client.getEvent(roomId, eventId)) as Event, text),
    react: (roomId, eventId, key) => client.unstableApis.addReactionToEvent(roomId, eventId, key),
    edit: (roomId, eventId, text) => client.sendMessage(roomId, editOf(eventId, text)),
    redact: async (roomId, eventId) => {
      await client.redactEvent(roomId, eventId);
    },
    upload: (bytes, type) => client.uploadContent(Buffer.from(bytes), type, 'picture.png'),
    download: async (mxc) => {
      const { data } = await client.downloadContent(mxc).catch((answer: unknown) => {
        // It rejects with the whole answer, whose body it has not read as JSON.
        const { statusCode, body } = answer as { statusCode?: number; body?: unknown };
        throw new HarnessError(`${String(statusCode)}: ${String(body)}`);
      });
      return new Uint8Array(data);
    },
    typing: async (roomId) => {
      await client.setTyping(roomId, true, 2_000);
    },
    markRead: async (roomId, eventId) => {
      await client.sendReadReceipt(roomId, eventId);
    },
    ended: async () => over,
    [Symbol.asyncDispose]: async () => client.stop(),
  };
}

/** Its log is how it tells that a sync failed. */
function listening(toErrors: (line: string) => void): ILogger {
  const nothing = (): void => undefined;
  const error = (_: string, ...words: unknown[]): void =>
    toErrors(words.map((word) => (word instanceof Error ? word.message : JSON.stringify(word))).join(' '));
  return { trace: nothing, debug: nothing, info: nothing, warn: nothing, error };
}
