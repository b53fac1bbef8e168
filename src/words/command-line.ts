import { formatDuration } from '../domain/duration.ts';
import type { Grant } from '../domain/grant.ts';
import { safeInline } from './safe-text.ts';

/** One word of a command line, in quotation marks where the tokenizer needs them. */
export function quotedWord(text: string): string {
  const plain = safeInline(text).trim();
  if (plain !== '' && !/[\s"'“”„‟«»＂‘’‚‛`\\]|^[-\p{Pd}\u2212]/u.test(plain)) return plain;
  return `"${plain.replace(/["“”„‟«»＂`\\]/gu, "'")}"`;
}

/** A room id that reads back as itself and nothing more: others' servers may put commas and dots into theirs. */
const ROOM_WORD = /^!(?:[A-Za-z0-9_-]{43}|[A-Za-z0-9._~=+-]+:[A-Za-z0-9.[\]:-]+)$/;

/** Well below what is cut in rendering: a line cut off would say less than it should, and be taken all the same. */
const MAX_LINE = 2_000;

/** The command that makes a grant like this one, to copy; null where no line would surely make the same. */
export function mintLine(grant: Pick<Grant, 'subject' | 'minter' | 'recipient' | 'scope' | 'ttlMs' | 'reason'>): string | null {
  const { rooms } = grant.scope;
  if (rooms !== 'all' && !rooms.every((room) => ROOM_WORD.test(room))) return null;
  const words = ['!mint', grant.subject, '--rooms', rooms === 'all' ? 'all' : rooms.join(','), '--read-only'];
  words.push('--ttl', formatDuration(grant.ttlMs));
  if (grant.recipient !== grant.minter) words.push('--to', grant.recipient);
  if (grant.reason !== null) words.push('--reason', quotedWord(grant.reason));
  const text = words.join(' ');
  return text.length <= MAX_LINE ? text : null;
}
