import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isGrantIdPrefix, newGrantId, normaliseGrantId, parseGrantId } from '../../src/domain/grant-id.ts';

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const id = fc
  .tuple(fc.uint8Array({ minLength: 9, maxLength: 9 }), fc.constantFrom(0, 1e6, 3e7, 1e9, 1e12))
  .map(([bytes, used]) => newGrantId(used, (count) => bytes.subarray(0, count)));

describe('a grant id', () => {
  it('is read back, in whatever case and with whatever look-alikes it was typed', () => {
    fc.assert(
      fc.property(id, (text) => {
        const spoken = text.toLowerCase().replaceAll('0', 'o').replaceAll('1', 'l');
        expect(parseGrantId(text)).toBe(text);
        expect(parseGrantId(spoken)).toBe(text);
        expect(parseGrantId(text.replaceAll('1', 'I').replaceAll('0', 'O'))).toBe(text);
        expect(parseGrantId(`${text.slice(0, 3)}-${text.slice(3)}`)).toBe(text);
      }),
    );
  });

  it('with any one wrong character is no id', () => {
    fc.assert(
      fc.property(id, (text) => {
        for (let at = 0; at < text.length; at++) {
          for (const other of ALPHABET) {
            if (other !== text[at])
              expect(parseGrantId(text.slice(0, at) + other + text.slice(at + 1))).toBeNull();
          }
        }
      }),
      { numRuns: 30 },
    );
  });

  it('with two neighbours swapped is nearly never one', () => {
    let swaps = 0;
    let missed = 0;
    for (const a of ALPHABET) {
      for (const b of ALPHABET) {
        if (a === b) continue;
        const text = newGrantId(0, () => Uint8Array.from(['0', a, b, '7', '3'], (c) => ALPHABET.indexOf(c)));
        swaps++;
        if (parseGrantId(text[0]! + text[2] + text[1] + text.slice(3)) !== null) missed++;
      }
    }
    expect(missed / swaps).toBeLessThan(0.01);
  });

  it('is six characters at first and longer when they grow crowded, at most ten', () => {
    const length = (used: number) => newGrantId(used, randomBytes).length;
    expect([0, 600_000, 700_000, 25_000_000, 1e9, 1e15].map(length)).toEqual([6, 6, 7, 8, 9, 10]);
  });

  it('uses every letter of the alphabet evenly', () => {
    const seen = new Map<string, number>();
    for (let byte = 0; byte < 256; byte++) {
      const letter = newGrantId(0, () => new Uint8Array(5).fill(byte))[0]!;
      seen.set(letter, (seen.get(letter) ?? 0) + 1);
    }
    expect([...seen.keys()].toSorted((a, b) => (a < b ? -1 : 1)).join('')).toBe(ALPHABET);
    expect(new Set(seen.values())).toEqual(new Set([8]));
  });

  it.each(['', 'A', '7F3K9', 'U'.repeat(6), '7F3K9Q7F3K9', '7F3K9!', '７F3K9Q', "7F3K9'"])(
    'is not %j',
    (text) => {
      expect(parseGrantId(text)).toBeNull();
    },
  );
});

describe('a prefix', () => {
  it('of an id is one from four characters on, and normalising it twice changes nothing', () => {
    fc.assert(
      fc.property(id, fc.nat(10), (text, cut) => {
        const prefix = text.slice(0, cut);
        expect(isGrantIdPrefix(prefix)).toBe(prefix.length >= 4);
        expect(text.startsWith(normaliseGrantId(prefix.toLowerCase()))).toBe(true);
      }),
    );
    fc.assert(
      fc.property(fc.string(), (text) => normaliseGrantId(normaliseGrantId(text)) === normaliseGrantId(text)),
    );
  });

  it.each(['', 'ABC', 'ABCU', 'AB%D', 'AB_D', 'AB D', 'A'.repeat(11), 'ABCÉ'])('is not %j', (text) => {
    expect(isGrantIdPrefix(text)).toBe(false);
  });
});
