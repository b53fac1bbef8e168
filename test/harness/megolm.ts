import { HarnessError } from './harness-error.ts';
import { matrixRequest } from './matrix-http.ts';

/** An event as the homeserver has it. */
export interface WireEvent {
  event_id: string;
  sender: string;
  type: string;
  state_key?: string;
  origin_server_ts: number;
  content: Record<string, unknown>;
  unsigned?: Record<string, unknown>;
}

/** One step of a sender's ratchet, as used by one event. */
export interface RatchetUse {
  eventId: string;
  sender: string;
  sessionId: string;
  index: number;
}

/** All events of a room the token may see, oldest first, as the homeserver has them. */
export async function roomEvents(baseUrl: string, token: string, roomId: string): Promise<WireEvent[]> {
  const events: WireEvent[] = [];
  let from: string | undefined;
  do {
    const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/messages?dir=f&limit=1000`;
    const page: { chunk: WireEvent[]; end?: string } = await matrixRequest(
      baseUrl,
      'GET',
      from === undefined ? path : `${path}&from=${encodeURIComponent(from)}`,
      { token },
    );
    events.push(...page.chunk);
    from = page.chunk.length === 0 ? undefined : page.end;
  } while (from !== undefined);
  return events;
}

/** Which step of which session each encrypted event used. Redacted ones have lost theirs and are left out. */
export function ratchetUses(events: readonly WireEvent[]): RatchetUse[] {
  return events.flatMap(({ event_id: eventId, sender, type, content }) => {
    const { ciphertext, session_id: sessionId } = content;
    if (type !== 'm.room.encrypted' || typeof ciphertext !== 'string' || typeof sessionId !== 'string')
      return [];
    return [{ eventId, sender, sessionId, index: megolmIndex(ciphertext) }];
  });
}

/**
 * The groups of events that share a step of a session: each is a breach, or a replay. Empty when all is well.
 */
export function reusedRatchets(uses: readonly RatchetUse[]): RatchetUse[][] {
  const bySteps = Map.groupBy(uses, (use) => `${use.sessionId} ${String(use.index)}`);
  return [...bySteps.values()].filter((group) => group.length > 1);
}

/**
 * The message index of a Megolm ciphertext: after the version byte 3, field 1 as a varint (Megolm, "Message
 * format").
 */
export function megolmIndex(ciphertext: string): number {
  const bytes = Buffer.from(ciphertext, 'base64');
  if (bytes[0] !== 3 || bytes[1] !== 0x08) throw new HarnessError('This is no Megolm message of version 3.');
  let index = 0;
  for (let position = 2, shift = 0; ; position++, shift += 7) {
    const byte = bytes[position];
    if (byte === undefined || shift > 28)
      throw new HarnessError('The message index of this Megolm message is broken.');
    index += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return index;
  }
}
