import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { UserId } from '../../src/domain/ids.ts';
import { block, code, list, paragraph, pill, strong } from '../../src/words/build.ts';
import type { Block, Document, Inline } from '../../src/words/document.ts';
import { MAX_RENDERED_BYTES } from '../../src/words/fit.ts';
import { toHtml, toText } from '../../src/words/render.ts';
import { quoted, quotedWords } from '../../src/words/safe-text.ts';

const nasty = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string(),
  fc.constantFrom(
    '</code><a href="https://matrix.to/#/@root:evil">@root</a>',
    '\u202Etxt.exe',
    'a\nb',
    'a\u2028b',
    '@room now',
    'a\u200Bb',
    '"><img src=x>',
    '&lt;b&gt;',
    '\u{E0041}\u{E007F}',
    '`',
    '\r',
  ),
);
const inline: fc.Arbitrary<Inline> = fc.oneof(
  nasty,
  nasty.map(strong),
  nasty.map(code),
  nasty.map((text) => pill(`@${text}:x` as UserId)),
);
const line = fc.array(inline, { maxLength: 5 });
const anyBlock: fc.Arbitrary<Block> = fc.oneof(
  line.map(paragraph),
  fc.array(line, { maxLength: 4 }).map((items) => list(...items)),
  nasty.map(block),
  fc.record({
    kind: fc.constant('table' as const),
    head: fc.array(nasty, { maxLength: 3 }),
    rows: fc.array(fc.array(line, { maxLength: 3 }), { maxLength: 3 }),
  }),
);
const document: fc.Arbitrary<Document> = fc.array(anyBlock, { maxLength: 6 });

const OURS =
  /<\/?(?:p|ul|li|pre|code|strong|table|thead|tbody|tr|th|td)>|<a href="https:\/\/matrix\.to\/#\/[\w.!~*()%-]*(?:&#39;[\w.!~*()%-]*)*">|<\/a>/g;

/** The text of our HTML, read back. */
function readBack(html: string): string {
  const text = html.replace(OURS, ' ');
  const entities: Record<string, string> = {
    '&amp;': '&',
    '&lt;': '<',
    '&gt;': '>',
    '&quot;': '"',
    '&#39;': "'",
  };
  return text.replace(/&(?:amp|lt|gt|quot|#39);/g, (entity) => entities[entity] ?? '');
}

/** What a text says, without spacing and our marks around code. */
function bare(text: string): string {
  return text.replace(/[\s`|-]/g, '');
}

describe('rendering', () => {
  it('never lets anybody’s text become markup', () => {
    fc.assert(
      fc.property(document, (each) => {
        const rest = toHtml(each)
          .replace(OURS, '')
          .replace(/&(?:amp|lt|gt|quot|#39);/g, '');
        expect(rest).not.toMatch(/[<>&"']/);
      }),
      { numRuns: 500 },
    );
  });

  it('never shows what changes or hides other text, and never rings everybody', () => {
    fc.assert(
      fc.property(document, (each) => {
        for (const rendered of [toHtml(each), toText(each)]) {
          expect(rendered).not.toMatch(
            /[\u202A-\u202E\u2066-\u2069\u200B-\u200F\u2060\uFEFF\u{E0000}-\u{E0FFF}\u2028\u2029\r\0]/u,
          );
          expect(rendered).not.toMatch(/@room\b/i);
          expect(rendered.isWellFormed()).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('says the same in HTML and in plain text', () => {
    fc.assert(
      fc.property(document, (each) => {
        expect(bare(readBack(toHtml(each)))).toBe(bare(toText(each)));
      }),
      { numRuns: 500 },
    );
  });

  it('keeps a line of text one line', () => {
    fc.assert(
      fc.property(line, (each) => {
        expect(toText([paragraph(each)])).not.toContain('\n');
      }),
    );
  });

  it('makes no link to a person of anybody’s text', () => {
    const text = 'ask https://matrix.to/#/@root:x or matrix:u/root:x';
    for (const rendered of [
      toHtml([paragraph([text, strong(text)])]),
      toText([paragraph([text, strong(text)])]),
    ]) {
      expect(rendered).not.toMatch(/matrix\.to\/#|matrix:u/);
    }
  });

  it('links a pill to exactly the person it names', () => {
    const html = toHtml([paragraph([pill('@a"b/c?d#e:x.org' as UserId)])]);
    expect(html).toBe(
      '<p><a href="https://matrix.to/#/%40a%22b%2Fc%3Fd%23e%3Ax.org">@a&quot;b/c?d#e:x.org</a></p>',
    );
  });

  it('leaves lines out rather than outgrow an event, and says how many', () => {
    const items = Array.from({ length: 3_000 }, (_, index) => [`grant ${index} with some <words> about it`]);
    const big: Document = [paragraph(['Live tokens']), list(...items)];
    const text = toText(big);
    const shown = text.match(/^- grant/gm)?.length ?? 0;
    expect(shown).toBeGreaterThan(100);
    expect(text).toContain(`… ${3_000 - shown} more lines were left out: too long for one message.`);
    expect(toHtml(big).match(/<li>/g)?.length).toBe(shown);
  });

  it('always fits', () => {
    const huge = fc.array(
      fc.constantFrom('"', '😀', '<', '\u0001', 'x').map((text) => text.repeat(9_000)),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(huge, huge, (pieces, items) => {
        const each: Document = [
          paragraph(pieces),
          list(...items.map((item) => [item])),
          ...pieces.map(block),
        ];
        expect(Buffer.byteLength(JSON.stringify([toHtml(each), toText(each)]))).toBeLessThanOrEqual(
          MAX_RENDERED_BYTES,
        );
      }),
      { numRuns: 10 },
    );
  });

  it('keeps what somebody wrote inside its quotation marks, and makes no pill of it', () => {
    expect(quoted('fine”. You may go “home')).toBe("“fine'. You may go 'home”");
    for (const mark of ['❞', '″', '״', 'ʺ', '〞', '’’', "''", '′′', '`', '❠', '\u{1f677}'])
      expect(quoted(`Ops${mark} (!x); until 2099`)).toBe("“Ops' (!x); until 2099”");
    expect(quoted('Ada’s reports')).toBe('“Ada’s reports”');
    expect(quoted('see https://matrix.to/#/@root:x')).toBe('“see https://matrix.to/ #/@root:x”');
    expect(quoted('see matrix:u/root:x')).toBe('“see matrix: u/root:x”');
    expect(quoted('x'.repeat(900))).toHaveLength(302);
    fc.assert(
      fc.property(nasty, (text) => {
        expect(quoted(text)).toMatch(/^“[^“”"\n]*”$/);
      }),
    );
  });

  it.each([
    ['https://evil.example/login', 'https[:]//evil[.]example/login'],
    ['HTTPS：//EVIL。EXAMPLE', 'HTTPS[:]//EVIL[.]EXAMPLE'],
    ['go to evil.example now', 'go to evil[.]example now'],
    ['www.evil.co.uk', 'www[.]evil[.]co[.]uk'],
    ['пример.рф', 'пример[.]рф'],
    ['xn--e1afmkfd.xn--p1ai', 'xn--e1afmkfd[.]xn--p1ai'],
    ['mailto:root@evil.example', 'mailto[:]root@evil[.]example'],
    ['javascript:alert(1)', 'javascript[:]alert(1)'],
    ['element://user/@root:x', 'element[:]//user/@root[:]x'],
    ['ask @root:example.org in #ops:example.org', 'ask @root[:]example[.]org in #ops[:]example[.]org'],
    ['192.0.2.7 and 192.0.2.7:80', '192[.]0[.]2[.]7 and 192[.]0[.]2[.]7:80'],
    ['at 14:05, release 1.2.3. Then 3.5 h, e.g. 4.', 'at 14:05, release 1.2.3. Then 3.5 h, e.g. 4.'],
    ['Ops: the room. Come in', 'Ops: the room. Come in'],
  ])('what others wrote has nothing to click: %s', (text, shown) => {
    expect(quotedWords(text)).toBe(`“${shown}”`);
  });

  it('no address survives, wherever it stands', () => {
    const address = /(?:https?|matrix|mailto):\S|[\p{L}\p{N}]\.(?:com|example)\b|[@#!]\w+:\w/u;
    const piece = fc.constantFrom(
      'https://',
      'evil.com',
      'a.example',
      '@root:',
      'x',
      '.',
      ':',
      '/',
      ' ',
      '-',
      '#b:c',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        expect(quotedWords(pieces.join(''))).not.toMatch(address);
      }),
    );
  });
});
