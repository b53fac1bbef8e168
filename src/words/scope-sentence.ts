import type { Capability } from '../domain/capability.ts';
import type { Grant, RoomFacts } from '../domain/grant.ts';
import type { RoomId } from '../domain/ids.ts';
import { joined, line } from './build.ts';
import type { Line } from './document.ts';
import { quoted, shortened } from './safe-text.ts';
import { relative, utc } from './time.ts';

/** Whoever adds a capability says here what it is called and whether it writes. */
const WORDS: Record<Capability, { readonly verb: string; readonly writes: boolean }> = { read: { verb: 'read', writes: false } };
const MAX_NAMED = 20;
const WHOLE_ID = 24;
const SHORT_ID = 15;

/** What a sentence about a grant needs to know of it. */
export type Scoped = Pick<Grant, 'scope' | 'rooms' | 'expiresAt'>;

/** A room id as it is shown in a sentence: its beginning, which a command understands where it is the only such one. */
function shortRoomId(roomId: RoomId, among: readonly RoomId[] = []): string {
  if (roomId.length <= WHOLE_ID) return roomId;
  const short = shortened(roomId, SHORT_ID);
  const twin = among.some((other) => other !== roomId && shortened(other, SHORT_ID) === short);
  return twin ? roomId : short;
}

function factsOf(grant: Scoped): readonly RoomFacts[] {
  const { rooms } = grant.scope;
  if (rooms === 'all') return [];
  return rooms.map((roomId) => grant.rooms.find((room) => room.roomId === roomId) ?? { roomId, name: null, encrypted: false });
}

function roomWords(facts: readonly RoomFacts[]): Line {
  const ids = facts.map((room) => room.roomId);
  const named = facts.slice(0, MAX_NAMED).map(({ roomId, name }): Line => {
    const id = shortRoomId(roomId, ids);
    return [name === null || name.trim() === '' ? id : `${quoted(name, 60)} (${id})`];
  });
  const more = facts.length - named.length;
  return joined(more > 0 ? [...named, [`${more} more`]] : named);
}

function encryptionWords(facts: readonly RoomFacts[]): Line | null {
  const encrypted = facts.filter((room) => room.encrypted);
  const sees = 'sees who and when, not what';
  if (encrypted.length === 0) return null;
  if (facts.length === 1) return [`it is encrypted: ${sees}`];
  if (encrypted.length === facts.length) return [`all of them are encrypted: ${sees}`];
  const ids = facts.map((room) => room.roomId);
  const names = encrypted
    .slice(0, MAX_NAMED)
    .map(({ roomId, name }): Line => [name === null || name.trim() === '' ? shortRoomId(roomId, ids) : quoted(name, 60)]);
  const more = encrypted.length - names.length;
  return [...joined(more > 0 ? [...names, [`${more} more`]] : names), encrypted.length === 1 ? ' is' : ' are', ` encrypted: ${sees}`];
}

/** What a holder may do, without the time: `can read 1 room, “Ops” (!x…); it is encrypted: sees who and when, not what; cannot send`. */
export function canSentence(grant: Scoped): Line {
  const { scope } = grant;
  const verbs = scope.can.map((capability): Line => [WORDS[capability].verb]);
  if (verbs.length === 0 || scope.rooms.length === 0) return ['can read nothing; cannot send'];
  const parts: Line[] = [];
  if (scope.rooms === 'all') {
    parts.push(
      line`can ${joined(verbs)} every room the user is in, later ones too (never the control room, Mintwarden's DMs, server notices)`,
    );
    parts.push(['of encrypted rooms it sees who and when, not what']);
  } else {
    const facts = factsOf(grant);
    const count = facts.length === 1 ? '1 room, ' : `${facts.length} rooms: `;
    parts.push(line`can ${joined(verbs)} ${count}${roomWords(facts)}`);
    const encryption = encryptionWords(facts);
    if (encryption !== null) parts.push(encryption);
  }
  if (!scope.can.some((capability) => WORDS[capability].writes)) parts.push(['cannot send']);
  return parts.flatMap((part, index): Line => (index === 0 ? part : ['; ', ...part]));
}

/** The scope as a sentence, the same wherever a grant is spoken of: what it can do, and `until 14:05 UTC, in 1 h`. */
export function scopeSentence(grant: Scoped, now: number): Line {
  const { expiresAt } = grant;
  const when =
    now < expiresAt
      ? `until ${utc(expiresAt, now)}, ${relative(expiresAt, now)}`
      : `ended ${utc(expiresAt, now)}, ${relative(expiresAt, now)}`;
  return [...canSentence(grant), `; ${when}`];
}
