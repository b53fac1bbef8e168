import { createHash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newGrantId } from '../../src/domain/grant-id.ts';
import { grantOfToken, hashToken, newToken, TOKEN_PATTERN } from '../../src/domain/token.ts';

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
const LETTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_';

describe('a scoped token', () => {
  it('names its grant, selects by one double-click and matches the published pattern whole', () => {
    fc.assert(
      fc.property(bytes32, fc.constantFrom(0, 1e6, 1e12), (bytes, used) => {
        const id = newGrantId(used, randomBytes);
        const token = newToken(id, () => bytes);
        expect(grantOfToken(token)).toBe(id);
        expect(token).toMatch(/^\w+$/);
        expect(TOKEN_PATTERN.exec(`see "${token}".`)?.[0]).toBe(token);
        expect(token).toHaveLength(4 + id.length + 1 + 49);
      }),
    );
  });

  it('carries all 256 bits: other bytes, another token', () => {
    const id = newGrantId(0, randomBytes);
    fc.assert(
      fc.property(bytes32, fc.nat(255), (bytes, bit) => {
        const other = Uint8Array.from(bytes, (byte, index) =>
          index === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte,
        );
        return newToken(id, () => bytes) !== newToken(id, () => other);
      }),
    );
    const most = newToken(id, () => new Uint8Array(32).fill(255));
    expect(grantOfToken(most)).toBe(id);
    expect(most).not.toContain('undefined');
  });

  it('with any one character changed is none', () => {
    const token = newToken(newGrantId(0, randomBytes), randomBytes);
    for (let at = 0; at < token.length; at++) {
      for (const other of LETTERS) {
        if (other !== token[at])
          expect(grantOfToken(token.slice(0, at) + other + token.slice(at + 1))).toBeNull();
      }
    }
  });

  it('cut, prolonged, padded or of another kind is none', () => {
    const token = newToken(newGrantId(0, randomBytes), randomBytes);
    for (let length = 0; length < token.length; length++)
      expect(grantOfToken(token.slice(0, length))).toBeNull();
    for (const text of [
      `${token}0`,
      ` ${token}`,
      `${token}\n`,
      token.toUpperCase(),
      token.replace('mwt', 'syt'),
      `${token}${token}`,
    ]) {
      expect(grantOfToken(text)).toBeNull();
    }
  });

  it('with a right check sum over a wrong grant id is none', () => {
    const token = newToken('000001' as never, randomBytes);
    expect(token).toMatch(TOKEN_PATTERN);
    expect(grantOfToken(token)).toBeNull();
  });

  it('is judged quickly however long the presented text is', () => {
    const begun = performance.now();
    for (const text of [
      'mwt_'.repeat(250_000),
      `mwt_${'A'.repeat(1_000_000)}`,
      `mwt_AAAAAA_${'0'.repeat(1_000_000)}`,
    ])
      expect(grantOfToken(text)).toBeNull();
    expect(performance.now() - begun).toBeLessThan(500);
  });

  it('is stored as the SHA-256 of its text', () => {
    const token = newToken(newGrantId(0, randomBytes), randomBytes);
    expect(hashToken(token)).toBe(createHash('sha256').update(token).digest('hex'));
  });
});
