import { formatDuration } from '../domain/duration.ts';
import type { Grant } from '../domain/grant.ts';
import { safeInline } from './safe-text.ts';

/** One word of a command line, in quotation marks where the tokenizer needs them. */
export function quotedWord(text: string): string {
  const plain = safeInline(text).trim();
  if (plain !== '' && !/[\s"'“”„‟«»＂‘’‚‛`\\]|^[-\p{Pd}\u2212]/u.test(plain)) return plain;
  return `"${plain.replace(/["“”„‟«»＂`\\]/gu, "'")}"`;
}

/** The command that makes a grant like this one, to copy. */
export function mintLine(grant: Pick<Grant, 'subject' | 'minter' | 'recipient' | 'scope' | 'ttlMs' | 'reason'>): string {
  const { rooms } = grant.scope;
  const words = ['!mint', grant.subject, '--rooms', rooms === 'all' ? 'all' : rooms.join(','), '--read-only'];
  words.push('--ttl', formatDuration(grant.ttlMs));
  if (grant.recipient !== grant.minter) words.push('--to', grant.recipient);
  if (grant.reason !== null) words.push('--reason', quotedWord(grant.reason));
  return words.join(' ');
}
