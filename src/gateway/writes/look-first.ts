import type { RoomId } from '../../domain/ids.ts';
import { type Answer, FORBIDDEN, isAnswer, lacking, NONSENSE, refusal, USER_LOCKED } from '../answer.ts';
import type { UpstreamRequest } from '../catalogue/line.ts';
import { isObject } from '../filters/shown.ts';
import { pathOf } from '../rewrite/path.ts';
import type { Reply } from '../serve/forwarder.ts';
import { toldError } from '../serve/told-error.ts';
import { errcodeOf, type Looked } from './ask.ts';
import type { Target, Writing } from './writing.ts';

const ENCRYPTION = '/_matrix/client/v3/rooms/{roomId}/state/m.room.encryption/';
const EVENT = '/_matrix/client/v3/rooms/{roomId}/event/{eventId}';
const MAX_KNOWN = 10_000;

/** An answer that a write cannot wait for. */
const UNCERTAIN = refusal(503, 'M_UNKNOWN', 'It cannot be told just now whether that may be sent. Try again later.');

/** Asks the homeserver for one thing. */
type Ask = (request: UpstreamRequest) => Promise<Looked>;

/** What has to be looked at in the room before a write. Null: all is well. */
export type LookFirst = (writing: Writing, ask: Ask) => Promise<Answer | null>;

/**
 * Looks at the room's encryption and at every event the write names. What cannot be told for certain is
 * refused. A room that was encrypted once is so for ever (spec 1.19, "m.room.encryption"), so that alone is
 * remembered.
 */
export function lookFirst(): LookFirst {
  const encrypted = new Set<RoomId>();
  return async (writing, ask) => {
    if (writing.onlyUnencrypted) {
      const refused = await refusedByEncryption(writing.roomId, ask);
      if (refused !== null) return refused;
    }
    for (const target of writing.targets) {
      const refused = await refusedByTarget(writing.roomId, target, ask);
      if (refused !== null) return refused;
    }
    return null;
  };

  async function refusedByEncryption(roomId: RoomId, ask: Ask): Promise<Answer | null> {
    if (encrypted.has(roomId)) return lacking('plaintext');
    const looked = await ask({ method: 'GET', path: pathOf(ENCRYPTION, { roomId }), query: [] });
    if (isAnswer(looked)) return looked;
    const { reply } = looked;
    // The only word for "there is none". Every other absence could be a proxy's, or another server's.
    if (reply.status === 404 && errcodeOf(reply) === 'M_NOT_FOUND') return null;
    if (reply.status !== 200) return toldFailure(reply);
    if (encrypted.size >= MAX_KNOWN) encrypted.clear();
    encrypted.add(roomId);
    return lacking('plaintext');
  }
}

/** An event of another room, and one that does not exist, are refused in the same words. */
async function refusedByTarget(roomId: RoomId, { eventId, fits }: Target, ask: Ask): Promise<Answer | null> {
  const looked = await ask({ method: 'GET', path: pathOf(EVENT, { roomId, eventId }), query: [] });
  if (isAnswer(looked)) return looked;
  const { reply } = looked;
  if (reply.status === 404 || reply.status === 403) return FORBIDDEN;
  if (reply.status !== 200) return toldFailure(reply);
  const event = reply.body;
  if (!isObject(event) || event['event_id'] !== eventId || event['room_id'] !== roomId) return FORBIDDEN;
  if (typeof event['sender'] !== 'string' || typeof event['type'] !== 'string') return NONSENSE;
  return fits(event);
}

function toldFailure(reply: Reply): Answer {
  if (errcodeOf(reply) === 'M_USER_LOCKED') return USER_LOCKED;
  return reply.status === 429 || reply.status >= 500 || reply.status === 403 ? toldError(reply, false) : UNCERTAIN;
}
