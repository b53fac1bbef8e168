import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decode, encode } from '../../../src/matrix/engine/store/encoding.ts';

const leaf = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.double(),
  fc.boolean(),
  fc.bigInt(),
  fc.constantFrom(null, undefined, -0, Number.NaN, Number.NEGATIVE_INFINITY),
  fc.date(),
  fc.uint8Array(),
  fc.uint8Array().map((bytes) => Uint8Array.from(bytes).buffer),
);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 4 }, leaf, tie('array'), tie('object'), tie('map'), tie('set')),
  array: fc.array(tie('value')),
  object: fc.dictionary(
    fc.oneof(fc.string(), fc.constantFrom('t', 'v', '__proto__', 'constructor')),
    tie('value'),
    {
      noNullPrototype: true,
    },
  ),
  map: fc.array(fc.tuple(tie('value'), tie('value'))).map((pairs) => new Map(pairs)),
  set: fc.array(tie('value')).map((items) => new Set(items)),
}));

describe('the encoding of stored values', () => {
  it('gives back what it was given', () => {
    fc.assert(
      fc.property(value, (given) => {
        // Not toStrictEqual, which takes an own property named `constructor` for the class.
        expect(isDeepStrictEqual(decode(encode(given)), given)).toBe(true);
      }),
    );
  });

  it('keeps an object that looks like its own marks', () => {
    for (const given of [{ t: 'date', v: 0 }, { t: 'nonsense' }, [{ v: { t: 'bytes', v: 'AA==' } }]]) {
      expect(decode(encode(given))).toStrictEqual(given);
    }
  });

  it('reads only the part of a buffer that a view shows', () => {
    const part = Buffer.from('secret').subarray(1, 3);
    expect(decode(encode(part))).toStrictEqual(Uint8Array.from([101, 99]));
  });

  it('takes objects of another realm, as structuredClone makes them', () => {
    expect(decode(encode(structuredClone({ a: [1] })))).toStrictEqual({ a: [1] });
  });

  it.each([[() => 1], [Symbol('s')], [/x/], [new Error('x')], [new Uint16Array(1)], [new Blob([])]])(
    'refuses %s rather than lose it',
    (given) => {
      expect(() => encode({ inside: given })).toThrow(TypeError);
    },
  );

  it.each(['', '{', '{"t":"future","v":1}'])('refuses %j when reading', (text) => {
    expect(() => decode(text)).toThrow(/JSON|unknown type/);
  });
});
