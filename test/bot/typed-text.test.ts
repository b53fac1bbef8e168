import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { UserId } from '../../src/domain/ids.ts';
import { parseAddress } from '../../src/bot/addressing.ts';
import { closest } from '../../src/bot/closest.ts';
import { editDistance } from '../../src/domain/edit-distance.ts';
import { createThrottle } from '../../src/bot/throttle.ts';
import { typedText } from '../../src/bot/typed-text.ts';
import { parsePermalink } from '../../src/bot/values/permalink.ts';

const CONTEXT = { serverName: 'x.org', botUserId: '@mintwarden:x.org' as UserId };
const typed = (body: string, html: string | null = null, some: { isEdit?: boolean } = {}) =>
  typedText({ body, html, isEdit: some.isEdit ?? false, replyTo: null, encryption: null }, CONTEXT).text;

describe('what was typed', () => {
  it.each([
    [
      'a pill counts by its link, not by its name',
      '!mint Bob --rooms all',
      '!mint <a href="https://matrix.to/#/%40alice%3Ax.org">Bob</a> --rooms all',
      '!mint @alice:x.org --rooms all',
    ],
    [
      'a name with marks in it stays out of the line',
      '!mint a --to @evil --rooms all',
      "!mint <a href='https://matrix.to/#/@alice:x.org'>a --to @evil</a> --rooms all",
      '!mint @alice:x.org --rooms all',
    ],
    [
      'markup inside a pill is not text',
      '!mint x',
      '!mint <a href="https://matrix.to/#/@alice:x.org"><b>x</b></a>',
      '!mint @alice:x.org',
    ],
    [
      'room pills too',
      '!mint @a --rooms Ops',
      '!mint @a --rooms <a href="https://matrix.to/#/!ops:x.org?via=x.org">Ops</a>',
      '!mint @a --rooms !ops:x.org',
    ],
    [
      'entities are undone',
      '!x',
      '!mint <a href="https://matrix.to/#/@a:x.org">A</a> --reason a&amp;b&#39;s &lt;c&gt;',
      "!mint @a:x.org --reason a&b's <c>",
    ],
    [
      'paragraphs are lines',
      '!x',
      '<p>!mint <a href="https://matrix.to/#/@a:x.org">A</a></p><p>--rooms all</p>',
      '!mint @a:x.org\n\n--rooms all',
    ],
    [
      'without links the plain text counts',
      '!mint @a --rooms !_a_',
      '!mint @a --rooms !<em>a</em>',
      '!mint @a --rooms !_a_',
    ],
    [
      'an attribute cannot close its tag',
      '!x',
      '<a title=">" href="https://matrix.to/#/@a:x.org">A</a>',
      '@a:x.org',
    ],
  ])('%s', (_, body, html, text) => expect(typed(body, html)).toBe(text));

  it('leaves out the asterisk of an edit, and the marks around a copied line', () => {
    expect(typed('* !list', null, { isEdit: true })).toBe('!list');
    expect(typed('`!revoke 7F3K9Q`')).toBe('!revoke 7F3K9Q');
  });

  it('is read quickly and without fault, whatever the HTML', () => {
    const soup = fc.string({
      unit: fc.constantFrom('<', '>', '"', "'", 'a ', 'href=', '&', '#', ';', '/', 'x'),
      maxLength: 8_000,
    });
    fc.assert(
      fc.property(soup, (html) => {
        expect(typeof typed('x', `<a ${html}`)).toBe('string');
      }),
    );
    const begun = performance.now();
    for (const html of ['<a '.repeat(2_600), `<a ${'"<'.repeat(3_900)}`, `<a ${'<'.repeat(7_990)}`])
      typed('x', html);
    expect(performance.now() - begun).toBeLessThan(500);
  });
});

describe('links', () => {
  it.each([
    ['https://matrix.to/#/@a:x.org', '@a:x.org'],
    ['matrix.to/#/%23a%3Ax.org', '#a:x.org'],
    ['https://matrix.to/#/!r:x.org/$event', null],
    ['https://matrix.to.evil.org/#/@a:x.org', null],
    ['https://evil.org/?https://matrix.to/#/@a:x.org', null],
    ['https://matrix.to/#/%E0%A4%A', null],
    ['matrix:u/a:x.org?action=chat', '@a:x.org'],
    ['matrix:roomid/r:x.org', '!r:x.org'],
    ['matrix:roomid/r', null],
    ['matrix:e/x', null],
    ['@a:x.org', null],
  ])('%s', (link, id) => expect(parsePermalink(link)).toBe(id));
});

describe('whom a text speaks to', () => {
  const bot = '@mintwarden:x.org' as UserId;
  const verbs = ['mint', 'list', 'show', 'revoke', 'deliver', 'status', 'help'];
  const inControl = (text: string) => parseAddress(text, 'control', bot, verbs, ['tokens']);
  it('a verb of the other place means us too', () => {
    expect(inControl('!tokens')).toMatchObject({ kind: 'unknown', typed: 'tokens', meant: null });
    expect(inControl('tokens')).toEqual({ kind: 'none' });
  });

  it.each([
    '!list',
    '！list',
    '!List ',
    '!mw list',
    '!mintwarden !list',
    '@mintwarden:x.org: list',
    '@mintwarden list',
    'Mintwarden: !list',
  ])('%s is ours', (text) => expect(inControl(text)).toEqual({ kind: 'command', verb: 'list', line: '' }));
  it.each([
    'list',
    '!lunch',
    '!ping',
    'mintwarden is nice',
    '@mintwarden2:x.org: list',
    '! list',
    '',
    '!',
    'well, !list',
  ])('%j is not', (text) => expect(inControl(text)).toEqual({ kind: 'none' }));
  it('slips of the finger are asked about', () => {
    expect(inControl('!mnit @a')).toEqual({ kind: 'unknown', typed: 'mnit', meant: 'mint', line: '@a' });
    expect(inControl('!mw lunch')).toEqual({ kind: 'unknown', typed: 'lunch', meant: null, line: '' });
  });
  it('in a DM the ! may be left out', () => {
    expect(parseAddress('Revoke 7F3K9Q', 'dm', bot, ['revoke'])).toEqual({
      kind: 'command',
      verb: 'revoke',
      line: '7F3K9Q',
    });
    expect(parseAddress('revoked?', 'dm', bot, ['revoke'])).toEqual({ kind: 'none' });
  });
});

describe('near misses', () => {
  it('counts slips', () => {
    expect([
      editDistance('mint', 'mnit'),
      editDistance('revoke', 'revok'),
      editDistance('a', ''),
      editDistance('abc', 'xyz'),
    ]).toEqual([1, 1, 1, 3]);
  });
  it('allows one slip in a short word, two in a longer one', () => {
    expect(closest('shw', ['show'])).toBe('show');
    expect(closest('sh', ['show'])).toBeNull();
    expect(closest('revko', ['revoke'])).toBe('revoke');
    expect(closest('x'.repeat(50_000), ['revoke'])).toBeNull();
  });
});

describe('limits', () => {
  it('lets through once per key and interval, and forgets the oldest key', () => {
    const limiter = createThrottle(1_000, 2);
    expect([
      limiter.allow('a', 0),
      limiter.allow('a', 999),
      limiter.allow('b', 0),
      limiter.allow('a', 1_000),
    ]).toEqual([true, false, true, true]);
    expect([limiter.allow('c', 1_001), limiter.allow('b', 1_002)]).toEqual([true, true]);
  });
});
