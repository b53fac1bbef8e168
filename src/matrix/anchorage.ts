import { parseEventId, type EventId, type RoomId } from '../domain/ids.ts';
import type { AnchorRoom, AnchorEvent } from '../ports/anchors.ts';
import { eventsAt } from './events.ts';
import { isNotFound, invalidResponse } from './homeserver-errors.ts';
import { createHomeserverClient, path, stringAt } from './homeserver.ts';

/** No client shows events of a type it does not know, and no push rule rings for them. */
const ANCHOR_TYPE = 'org.mintwarden.anchor';
const PAGE_SIZE = 100;
const MAX_PAGES = 10;
const TIMEOUT_MS = 15_000;

/**
 * The control room by the bot's plain session: it needs no encryption store, which may be the very thing that
 * is old.
 */
export function createAnchorage(options: {
  readonly homeserverUrl: string;
  /** The bot's, as it is then. */
  readonly accessToken: () => string;
  readonly userId: string;
  readonly roomId: RoomId;
  /** A page of the room as a server administrator sees it, by the same query. */
  readonly pageByIssuer?: (query: Readonly<Record<string, string>>) => Promise<unknown>;
}): AnchorRoom {
  const { roomId, userId, pageByIssuer } = options;
  const at = () =>
    createHomeserverClient({ homeserverUrl: options.homeserverUrl, accessToken: options.accessToken() });
  const filter = JSON.stringify({ types: [ANCHOR_TYPE], senders: [userId] });

  const newest = async (
    pageOf: (query: Readonly<Record<string, string>>) => Promise<unknown>,
  ): Promise<readonly AnchorEvent[]> => {
    const found: AnchorEvent[] = [];
    let from: string | null = null;
    for (let page = 0; page < MAX_PAGES; page++) {
      const answer = await pageOf({
        dir: 'b',
        limit: String(PAGE_SIZE),
        filter,
        ...(from !== null && { from }),
      });
      for (const event of eventsAt(answer, 'chunk')) {
        const isOurs = event.type === ANCHOR_TYPE && event.sender === userId && event.stateKey === null;
        if (isOurs) found.push({ eventId: event.eventId, content: event.content });
      }
      const end = stringAt(answer, 'end');
      if (end === null || end === from || found.length >= PAGE_SIZE) break;
      from = end;
    }
    return found;
  };

  return {
    roomId,
    newest: () =>
      newest((query) =>
        at().request('GET', path`/rooms/${roomId}/messages`, { query, timeoutMs: TIMEOUT_MS }),
      ),
    ...(pageByIssuer !== undefined && { newestByIssuer: () => newest(pageByIssuer) }),
    async post(content, transactionId) {
      const answer = await at().request('PUT', path`/rooms/${roomId}/send/${ANCHOR_TYPE}/${transactionId}`, {
        body: { ...content },
        timeoutMs: TIMEOUT_MS,
      });
      const eventId = parseEventId(stringAt(answer, 'event_id') ?? '');
      if (eventId === null) throw invalidResponse('no event id');
      return eventId;
    },
    async has(eventId: EventId) {
      try {
        await at().request('GET', path`/rooms/${roomId}/event/${eventId}`, { timeoutMs: TIMEOUT_MS });
        return true;
      } catch (error) {
        if (isNotFound(error)) return false;
        throw error;
      }
    },
  };
}
