import { parseRoomAlias, parseUserId } from '../../domain/ids.ts';
import type { Route } from './router.ts';

/** Event ids of room version 3, and no others, may have a slash (spec 1.19, "Room version 3", "Event IDs"). */
const EVENT_ID = /^\$[A-Za-z0-9+/]{43}$/;
const isEventId = (text: string): boolean => EVENT_ID.test(text);

/**
 * The parameters in which a slash may be, encoded: `@dev/ci:example.org` is a user id (spec 1.19, appendix 4.2.1),
 * a state key and a file name are any text. It is part of one segment, to the router and to endpoint rules.
 */
const WITH_SLASH: Readonly<Record<string, (text: string) => boolean>> = {
  userId: (text) => parseUserId(text) !== null,
  roomAlias: (text) => parseRoomAlias(text) !== null,
  eventId: isEventId,
  threadRootId: isEventId,
  stateKey: () => true,
  fileName: () => true,
};

/** Whether every slash in a route's parameters is where one may be. */
export function slashesBelong({ endpoint, params }: Route): boolean {
  // A refused branch reads no parameters of what is below it.
  if (endpoint.kind === 'refused') return false;
  return Object.entries(params).every(
    ([name, value]) => !value.includes('/') || WITH_SLASH[name]?.(value) === true,
  );
}
