declare const brand: unique symbol;
type Branded<T, B extends string> = T & { readonly [brand]: B };

/** A full Matrix user id, `@localpart:server` (spec appendix 4.2.1). */
export type UserId = Branded<string, 'UserId'>;
/** A room id. Opaque: room version 12 has no server part (spec appendix 4.2.2, MSC4291). */
export type RoomId = Branded<string, 'RoomId'>;
/** A room alias, `#name:server` (spec appendix 4.2.3). */
export type RoomAlias = Branded<string, 'RoomAlias'>;
/** An event id, `$…`. Opaque. */
export type EventId = Branded<string, 'EventId'>;
/** A grant's short public id; see `grant-id.ts`. */
export type GrantId = Branded<string, 'GrantId'>;
/** One attempt at an upstream token; random, internal. */
export type LeaseId = Branded<string, 'LeaseId'>;
/** One message to people; random and opaque, since it is the transaction id and the marker in the room. */
export type MessageId = Branded<string, 'MessageId'>;

/** Somebody at the machine, by the name they go by there. */
export type Operator = `operator:${string}`;

/** Who did something: a Matrix user, an operator at the machine, a token's holder, or Mintwarden itself. */
export type Actor = UserId | Operator | 'holder' | 'system';

/** Whether this is somebody at the machine. */
export function isOperator(actor: Actor): actor is Operator {
  return actor.startsWith('operator:');
}

const MAX_ID_BYTES = 255;
const CONTROL = /[\u0000-\u0020\u007f-\u00a0\u2028\u2029\ufeff]/;

function plain(text: string, sigil: string): boolean {
  return (
    text.startsWith(sigil) &&
    text.length > 1 &&
    Buffer.byteLength(text) <= MAX_ID_BYTES &&
    text.isWellFormed() &&
    !CONTROL.test(text)
  );
}

/**
 * A user id, or null. The localpart may be any a homeserver accepts (historical ones too), the server part
 * must be there.
 */
export function parseUserId(text: string): UserId | null {
  return plain(text, '@') && /^@[^:]*:[A-Za-z0-9.\-_[\]:]+$/.test(text) ? (text as UserId) : null;
}

/** A room id, with or without a server part, or null. */
export function parseRoomId(text: string): RoomId | null {
  return plain(text, '!') && !text.includes('/') ? (text as RoomId) : null;
}

/** A room alias, or null. */
export function parseRoomAlias(text: string): RoomAlias | null {
  return plain(text, '#') && /^#[^:]+:[A-Za-z0-9.\-_[\]:]+$/.test(text) ? (text as RoomAlias) : null;
}

/** An event id, or null. */
export function parseEventId(text: string): EventId | null {
  return plain(text, '$') ? (text as EventId) : null;
}

/** The server part of a user id or alias. */
export function serverOf(id: UserId | RoomAlias): string {
  return id.slice(id.indexOf(':') + 1);
}

/** The localpart of a user id. */
export function localpartOf(id: UserId): string {
  return id.slice(1, id.indexOf(':'));
}
