import { MintwardenError } from '../domain/errors.ts';
import { parseEventId, type EventId, type RoomId, type UserId } from '../domain/ids.ts';
import type { Audience, ChatContent } from '../ports/chat.ts';
import { withMarker, toMessageContent } from './content.ts';
import { dmUserOf } from './dm-room.ts';
import type { Encryptor } from './encrypt.ts';
import { invalidResponse } from './homeserver-errors.ts';
import { path, stringAt, type HomeserverClient } from './homeserver.ts';
import { MEGOLM, readRoomState, type RoomState } from './room-state.ts';

/** See `Chat.send`. */
export type SendOptions = {
  readonly transactionId: string;
  readonly marker: string;
  readonly expect: 'encrypted' | 'plain';
  readonly audience: Audience;
  readonly only?: UserId;
};

/** What sending needs. `inRoom` runs the sends of one room one after the other. */
export type SendContext = {
  readonly homeserver: HomeserverClient;
  readonly encryptor: Encryptor;
  readonly userId: string;
  readonly queueByRoom: <T>(roomId: string, work: () => Promise<T>) => Promise<T>;
};

/**
 * Sends as `Chat.send` promises: by the room's state as it is now, never in plaintext where encryption was
 * expected.
 */
export async function send(
  sender: SendContext,
  roomId: RoomId,
  content: ChatContent,
  options: SendOptions,
): Promise<EventId> {
  return sender.queueByRoom(roomId, async () => {
    const { homeserver, encryptor } = sender;
    const state = await readRoomState(homeserver, roomId);
    checkRoom(state, options);
    const recipient =
      options.only ?? (options.audience === 'cross-signed' ? dmUserOf(state, sender.userId) : null);
    if (recipient !== null) checkOnlyRecipient(state, sender.userId, recipient);
    const plain = toMessageContent(content);
    withMarker(plain, options.marker); // too long is said before a key is used up
    const [type, body] =
      options.expect === 'encrypted'
        ? ['m.room.encrypted', await encryptor.encrypt(roomId, state, plain, options.audience, recipient)]
        : ['m.room.message', plain];
    const answer = await homeserver.request(
      'PUT',
      path`/rooms/${roomId}/send/${type}/${options.transactionId}`,
      {
        body: withMarker(body, options.marker),
      },
    );
    const eventId = parseEventId(stringAt(answer, 'event_id') ?? '');
    if (eventId === null) throw invalidResponse('no event id');
    return eventId;
  });
}

/** @throws MintwardenError `conflict` where the room is not what was expected */
export function checkRoom(
  state: RoomState,
  { expect, audience }: Pick<SendOptions, 'expect' | 'audience'>,
): void {
  if (expect === 'plain' && audience === 'cross-signed') {
    throw new MintwardenError(
      'internal',
      'What is for cross-signed devices only cannot be sent in the clear.',
    );
  }
  if (expect === 'plain' && state.encryption !== null)
    throw new MintwardenError('conflict', 'The room is encrypted, which was not expected.');
  if (expect === 'encrypted' && state.encryption !== MEGOLM) {
    throw new MintwardenError(
      'conflict',
      'The room is not encrypted, so nothing was sent there.',
      'Use a room that is encrypted.',
    );
  }
}

/**
 * The recipient is named by the sender, not by the room, whose state the homeserver can forge. @throws
 * MintwardenError
 * `room-unusable` where somebody else could read it too
 */
export function checkOnlyRecipient(
  state: Pick<RoomState, 'members'>,
  botId: string,
  recipient: UserId,
): void {
  const members = state.members('join', 'invite');
  if (members.length === 2 && members.includes(recipient) && members.includes(botId as UserId)) return;
  throw new MintwardenError(
    'room-unusable',
    'The DM does not hold exactly its two people, so nothing was sent there.',
  );
}
