import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MintwardenError } from '../../src/domain/errors.ts';
import { tokenize } from '../../src/bot/tokenizer.ts';
import { quotedWord } from '../../src/words/command-line.ts';

const texts = (line: string) => tokenize(line).map(({ text }) => text);

describe('the tokenizer', () => {
  it.each([
    ['a b  c', ['a', 'b', 'c']],
    ['a\nb\u00a0c\u2003d\u3000e', ['a', 'b', 'c', 'd', 'e']],
    ['—ttl 1h', ['--ttl', '1h']],
    ['–ttl ——to ‑‑rooms −-x', ['--ttl', '--to', '--rooms', '--x']],
    ['too late — really', ['too', 'late', '—', 'really']],
    ["it's fine", ["it's", 'fine']],
    ['it’s fine', ['it’s', 'fine']],
    ['"a b" c', ['a b', 'c']],
    ['“a b” ‘c d’ «e f»', ['a b', 'c d', 'e f']],
    ["'it's fine' x", ["it's fine", 'x']],
    [String.raw`"say \"hi\" \\ there"`, [String.raw`say "hi" \ there`]],
    ['--reason="a b" c', ['--reason=a b', 'c']],
    ['—reason=“a b”', ['--reason=a b']],
    ['"a\nb"', ['a b']],
    ['""', ['']],
    ['!a\u200bb', ['!ab']],
    ['', []],
  ])('%j', (line, words) => expect(texts(line)).toEqual(words));

  it.each([
    ['"a b', 'The quotation mark before “a b” is not closed.'],
    ['‘a b', 'The quotation mark before “a b” is not closed.'],
    ['"', 'The quotation mark before the end is not closed.'],
    ['"a"b', 'There is text right behind the quotation mark after “a”.'],
    ['5" disk', 'There is a quotation mark in the middle of “5"”.'],
  ])('refuses %j', (line, sentence) => expect(() => tokenize(line)).toThrow(sentence));

  it('knows what was quoted: never a flag', () => {
    expect(tokenize('"--ttl" --ttl').map(({ quoted }) => quoted)).toEqual([true, false]);
    expect(texts('"—ttl"')).toEqual(['—ttl']);
  });

  it('loses nothing and invents nothing: words without marks come back as they are', () => {
    const word = fc
      .string({ minLength: 1 })
      .filter(
        (text) =>
          !/[\s"'“”„‟«»＂‘’‚‛\p{Cf}]/u.test(text) &&
          !/^-*[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]/u.test(text),
      );
    fc.assert(
      fc.property(fc.array(word), (words) => {
        expect(texts(words.join(' '))).toEqual(words);
      }),
    );
  });

  it('either gives words or a usage error, whatever is typed', () => {
    const marks = fc.string({
      unit: fc.constantFrom('"', "'", '“', '”', '‘', '’', ' ', '\n', '=', '-', '—', 'a', '\\', '😀'),
    });
    fc.assert(
      fc.property(fc.oneof(marks, fc.string({ unit: 'binary' })), (line) => {
        try {
          tokenize(line);
        } catch (error) {
          expect(error).toBeInstanceOf(MintwardenError);
          expect((error as MintwardenError).code).toBe('usage');
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('reads back every word that our own lines to copy quote, as one word that is no flag', () => {
    const marks = fc.string({
      unit: fc.constantFrom(
        '"',
        "'",
        '“',
        '„',
        '«',
        '＂',
        '‚',
        '‘',
        ' ',
        '-',
        '—',
        '−',
        'a',
        '`',
        '\\',
        '\n',
      ),
      minLength: 1,
    });
    fc.assert(
      fc.property(fc.oneof(marks, fc.string({ unit: 'grapheme', minLength: 1 })), (text) => {
        const [before, word, after, ...more] = tokenize(`x ${quotedWord(text)} y`);
        expect([before?.text, after?.text, more]).toEqual(['x', 'y', []]);
        expect(word?.quoted === true || !/^[-\p{Pd}\u2212]/u.test(word?.text ?? '')).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });
});
