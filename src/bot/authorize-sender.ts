import type { CommandKey } from '../domain/change.ts';
import type { Services } from '../lifecycle/services.ts';
import type { Incoming } from '../ports/chat.ts';
import {
  authorizeInControlRoom,
  authorizeInDm,
  type AuthorizationContext,
  type Authorization,
} from './authorization.ts';
import type { Place } from './command-description.ts';

/** A verdict, and how the room it was given in is answered. */
export type SenderAuthorization = {
  readonly authorization: Authorization;
  readonly place: Place;
  readonly encrypted: boolean;
};

/** The command's event id and its place in its Megolm session. */
export function commandKey(message: Incoming, at: number): CommandKey {
  const { eventId, sender, encryption } = message;
  return {
    eventId,
    sender,
    sessionId: encryption?.sessionId ?? null,
    messageIndex: encryption?.messageIndex ?? null,
    at,
  };
}

/**
 * Gathers what the authority must know of a message, and asks it. @throws MintwardenError where that cannot
 * be known
 */
export async function authorizeSender(services: Services, message: Incoming): Promise<SenderAuthorization> {
  const key = commandKey(message, services.clock.now());
  const common: Omit<AuthorizationContext, 'seen'> = {
    now: key.at,
    policy: services.policy(),
    serverName: services.directory.serverName,
    ownAccounts: [services.chat.userId, ...services.ownAccounts],
  };
  const seeing = services.ledger.commandSeen(key.eventId, key.sessionId, key.messageIndex);
  if (message.roomId === services.controlRoomId) {
    const [seen, room, pin] = await Promise.all([
      seeing,
      services.chat.controlRoom(),
      services.ledger.pin(message.sender),
    ]);
    return {
      authorization: authorizeInControlRoom(message, { ...common, seen, room, pin }),
      place: 'control',
      encrypted: room.encrypted,
    };
  }
  const [seen, dm] = await Promise.all([seeing, services.chat.dm(message.sender)]);
  return {
    authorization: authorizeInDm(message, { ...common, seen, dmRoomId: dm?.roomId ?? null }),
    place: 'dm',
    encrypted: dm?.encrypted ?? false,
  };
}
