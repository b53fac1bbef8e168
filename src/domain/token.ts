import { hash } from 'node:crypto';
import { parseGrantId } from './grant-id.ts';
import type { GrantId } from './ids.ts';

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const SECRET_BYTES = 32;
const SECRET_LENGTH = 43;
const CHECK_LENGTH = 6;

/** For secret scanners: every scoped token matches, and the check sum weeds out what only looks like one. */
export const TOKEN_PATTERN = /mwt_[0-9A-HJKMNP-TV-Z]{6,10}_[0-9A-Za-z]{49}/;
const WHOLE = new RegExp(`^${TOKEN_PATTERN.source}$`);

function base62(bytes: Uint8Array): string {
  let number = BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
  let out = '';
  while (out.length < SECRET_LENGTH) {
    out = DIGITS.charAt(Number(number % 62n)) + out;
    number /= 62n;
  }
  return out;
}

function check(text: string): string {
  // Reckoned for every request at the gateway: 32 bits need no BigInt.
  let number = Number.parseInt(hash('sha256', text, 'hex').slice(0, 8), 16);
  let out = '';
  for (; out.length < CHECK_LENGTH; number = Math.floor(number / 62)) out = DIGITS.charAt(number % 62) + out;
  return out;
}

/** A new scoped token for a grant: `mwt_<id>_<256 random bits><check>`, one double-click long. A secret. */
export function newToken(id: GrantId, randomBytes: (n: number) => Uint8Array): string {
  const text = `mwt_${id}_${base62(randomBytes(SECRET_BYTES))}`;
  return text + check(text);
}

/** The grant a presented token names, or null where it cannot be one of ours. Says nothing about validity. */
export function grantOfToken(presented: string): GrantId | null {
  if (!WHOLE.test(presented)) return null;
  if (check(presented.slice(0, -CHECK_LENGTH)) !== presented.slice(-CHECK_LENGTH)) return null;
  return parseGrantId(presented.split('_')[1] ?? '');
}

/** What is stored of a scoped token: its SHA-256, in hex. 256 random bits need no slow hash. */
export function hashToken(token: string): string {
  return hash('sha256', token, 'hex');
}
