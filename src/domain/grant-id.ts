import type { GrantId } from './ids.ts';

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const MIN_LENGTH = 6;
const MAX_LENGTH = 10;
/** The shortest prefix of a grant id that a command takes. */
export const MIN_PREFIX = 4;

/** Luhn mod N (N = 32): finds every single wrong character and nearly every swap of neighbours. */
function checkCharacter(body: string): string {
  let factor = 2;
  let sum = 0;
  for (let i = body.length - 1; i >= 0; i--) {
    const addend = factor * ALPHABET.indexOf(body.charAt(i));
    sum += Math.floor(addend / 32) + (addend % 32);
    factor = factor === 2 ? 1 : 2;
  }
  return ALPHABET.charAt((32 - (sum % 32)) % 32);
}

/**
 * A new grant id: Crockford base32, the last character a check. One character longer for each
 * thirty-two-fold of ids already used beyond 2 % of the space, so that a random one stays free.
 * @param used how many ids were ever given out
 * @param randomBytes gives `n` random bytes
 */
export function newGrantId(used: number, randomBytes: (n: number) => Uint8Array): GrantId {
  let body = MIN_LENGTH - 1;
  while (body < MAX_LENGTH - 1 && used > 0.02 * 32 ** body) body++;
  const text = [...randomBytes(body)].map((byte) => ALPHABET.charAt(byte & 31)).join('');
  return (text + checkCharacter(text)) as GrantId;
}

/** What someone typed, in the alphabet's own letters: case is ignored, O is 0, I and L are 1, dashes go. */
export function normaliseGrantId(text: string): string {
  return text.toUpperCase().replaceAll('-', '').replaceAll('O', '0').replace(/[IL]/g, '1');
}

/** Whether the text can be an id or a prefix of one, after `normaliseGrantId`. */
export function isGrantIdPrefix(text: string): boolean {
  return (
    text.length >= MIN_PREFIX &&
    text.length <= MAX_LENGTH &&
    Array.from(text).every((c) => ALPHABET.includes(c))
  );
}

/** A whole grant id with a right check, or null. */
export function parseGrantId(text: string): GrantId | null {
  const id = normaliseGrantId(text);
  if (id.length < MIN_LENGTH || !isGrantIdPrefix(id)) return null;
  return checkCharacter(id.slice(0, -1)) === id.at(-1) ? (id as GrantId) : null;
}
