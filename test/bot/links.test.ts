import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { typedText } from '../../src/bot/typed-text.ts';
import { parsePermalink } from '../../src/bot/values/permalink.ts';
import type { UserId } from '../../src/domain/ids.ts';
import { ALICE, botStage, OPS, type BotStage } from './support/stage.ts';

const CAROL = '@carol:example.org';
const HASH = `!${'a'.repeat(43)}`;

describe('what a link names', () => {
  it.each([
    // matrix.to, escaped and not
    ['https://matrix.to/#/@carol:example.org', CAROL],
    ['https://matrix.to/#/%40carol%3Aexample.org', CAROL],
    ['HTTPS://WWW.MATRIX.TO/#/@carol:example.org/', CAROL],
    ['http://matrix.to/#/@carol:example.org?via=x#y', CAROL],
    [' https://matrix.to/#/@carol:example.org ', CAROL],
    ['https://matrix.to/#/@dev/ci:example.org', '@dev/ci:example.org'],
    ['https://matrix.to/#/@dev%2Fci:example.org', '@dev/ci:example.org'],
    ['https://matrix.to/#/%40dev%2fci%3Aexample.org', '@dev/ci:example.org'],
    ['https://matrix.to/#/#dev/ops:example.org', '#dev/ops:example.org'],
    ['https://matrix.to/#/!ops:example.org?via=a&via=b', '!ops:example.org'],
    [`https://matrix.to/#/${HASH}`, HASH],
    // web clients' own
    ['https://chat.example.org/#/user/@carol:example.org', CAROL],
    ['https://chat.example.org/some/where/?x=1#/user/@carol:example.org', CAROL],
    ['http://localhost:8080/#/user/%40dev%2Fci%3Aexample.org?action=chat', '@dev/ci:example.org'],
    ['https://chat.example.org/#/room/!ops:example.org?via=x.org', '!ops:example.org'],
    ['https://chat.example.org/#/room/#ops:example.org', '#ops:example.org'],
    ['https://chat.example.org/#/room/%23ops:example.org', '#ops:example.org'],
    ['element://user/@carol:example.org', CAROL],
    ['ELEMENT://USER/@carol:example.org', CAROL],
    ['element://room/#ops:example.org', '#ops:example.org'],
    ['element://vector/webapp/#/user/@carol:example.org', CAROL],
    ['vector://vector/webapp/#/room/!ops:example.org', '!ops:example.org'],
    // matrix: (spec appendix, "Matrix URI scheme")
    ['matrix:u/carol:example.org', CAROL],
    ['MATRIX:U/carol:example.org?action=chat#x', CAROL],
    ['matrix:user/carol:example.org', CAROL],
    ['matrix://example.org/u/carol:example.org', CAROL],
    ['matrix:u/dev/ci:example.org', '@dev/ci:example.org'],
    ['matrix:u/dev%2Fci:example.org', '@dev/ci:example.org'],
    ['matrix:r/ops:example.org', '#ops:example.org'],
    ['matrix:room/dev/ops:example.org', '#dev/ops:example.org'],
    ['matrix:roomid/ops:example.org?via=x&action=join', '!ops:example.org'],
    [`matrix:roomid/${HASH.slice(1)}`, HASH],
  ])('%s', (link, id) => expect(parsePermalink(link)).toBe(id));

  it.each([
    ['an event', 'https://matrix.to/#/!ops:example.org/$event'],
    ['an event, by a web client', 'https://chat.example.org/#/room/!ops:example.org/$event'],
    ['an event in a room with an alias', 'https://matrix.to/#/#ops:example.org/$event'],
    ['an event, by URI', 'matrix:roomid/ops:example.org/e/event'],
    ['an event in a room of version 12', `matrix:roomid/${HASH.slice(1)}/e/event`],
    ['escaped twice', 'https://matrix.to/#/%2540carol%253Aexample.org'],
    ['an id in another id', 'https://chat.example.org/#/user/@carol:example.org#/user/@alice:example.org'],
    ['a word too many', 'https://matrix.to/#/@carol%20--to%20@evil:example.org'],
    ['a new line', 'https://matrix.to/#/@carol\n:example.org'],
    ['a room as a user', 'https://chat.example.org/#/user/!ops:example.org'],
    ['a user as a room', 'element://room/@carol:example.org'],
    ['a sigil too many', 'matrix:u/@carol:example.org'],
    ['an escaped sigil too many', 'matrix:u/%40carol:example.org'],
    ['no server', 'https://matrix.to/#/@carol'],
    ['no name', 'https://matrix.to/#/@:example.org'],
    ['the beginning of a room', 'https://matrix.to/#/!ops'],
    ['another host', 'https://matrix.to.evil.org/#/@carol:example.org'],
    ['another place of the address', 'https://example.org/user/@carol:example.org'],
    ['another scheme', 'javascript://x/#/user/@carol:example.org'],
    ['an address in another', 'javascript:https://x/#/user/@carol:example.org'],
    ['a scheme in another', 'x-element://user/@carol:example.org'],
    ['a URI in another', 'web+matrix:u/carol:example.org'],
    ['broken escapes', 'https://matrix.to/#/%E0%A4%A'],
  ])('nobody: %s', (_, link) => expect(parsePermalink(link)).toBeNull());

  it('is one identifier or none, and the identifier of its escaped form', () => {
    const localpart = fc.string({ unit: fc.constantFrom('a', '/', '%', '=', '.', '+', '_', '?', '#', 'é') });
    fc.assert(
      fc.property(
        localpart.filter((text) => text !== ''),
        (text) => {
          const id = `@${text}:example.org`;
          const escaped = encodeURIComponent(id);
          expect(parsePermalink(`https://matrix.to/#/${escaped}`)).toBe(id);
          expect(parsePermalink(`https://chat.x/#/user/${escaped}`)).toBe(id);
          expect(parsePermalink(`matrix:u/${encodeURIComponent(id.slice(1))}`)).toBe(id);
        },
      ),
    );
  });
});

/** What the message is read as: its text, or in brackets why it is not acted on. */
function read(html: string, body: string): string {
  const context = { serverName: 'example.org', botUserId: '@mintwarden:example.org' as UserId };
  const message = { body, html, isEdit: false, replyTo: null, encryption: null };
  const { text, problem } = typedText(message, context);
  return problem === null ? text : `[${problem.message}]`;
}
const link = (href: string, text: string) => `<a href="${href}">${text}</a>`;
const pill = (text: string) => link(`https://matrix.to/#/${CAROL}`, text);

describe('the link decides, and its text must not say otherwise', () => {
  it.each([
    ['a display name', pill('Carol Smith'), 'Carol Smith'],
    ['her id', pill(CAROL), CAROL],
    ['her id inside a name', pill(`Carol (${CAROL})`), `Carol (${CAROL})`],
    ['her name as some clients write it', pill('@Carol'), '@Carol'],
    [
      'her address as text',
      pill('https://matrix.to/#/@carol:example.org'),
      'https://matrix.to/#/@carol:example.org',
    ],
    ['a web client’s link', link('https://chat.x/#/user/@carol:example.org', 'Carol'), 'Carol'],
    ['the plain text has her id', pill('Carol'), CAROL],
    ['the plain text has Markdown', pill('Carol'), '[Carol](https://matrix.to/#/@carol:example.org)'],
  ])('%s', (_, html, body) => {
    expect(read(`!mint ${html} --rooms all`, `!mint ${body} --rooms all`)).toBe(`!mint ${CAROL} --rooms all`);
    expect(read(`!mint @a --to=${html}`, `!mint @a --to=${body}`)).toBe(`!mint @a --to=${CAROL}`);
  });

  it.each([
    ['somebody’s id', '@alice:example.org'],
    ['somebody’s short id', '@alice'],
    ['somebody’s id in a name', 'Carol (@alice:example.org)'],
    ['an id with a zero-width space', '@al\u200bice:example.org'],
    ['an id with a bidi override', '\u202d@alice:example.org\u202c'],
    ['an id with filling', '@alice\u3164:example.org'],
    ['a wide id', '＠alice：example.org'],
    ['an id in other letters', '@аliсe:example.org'],
    ['a link to somebody', 'https://matrix.to/#/@alice:example.org'],
    ['a URI of somebody', 'matrix:u/alice:example.org'],
    ['a room', '#ops:example.org'],
    ['an id in pieces', '<b>@ali</b><i>ce:exam</i>ple.org'],
  ])('refused: %s as the text of a link to someone else', (_, text) => {
    const plain = text.replace(/<[^>]*>/g, '');
    for (const href of [
      'https://chat.example.org/#/user/@carol:example.org',
      'element://user/@carol:example.org',
      'https://matrix.to/#/@dev/ci:example.org',
      'matrix:u/dev/ci:example.org',
      'https://example.org/',
      'https://matrix.to/#/%2540alice%253Aexample.org',
      'https://@alice:example.org',
      'mxc://x/y',
      '',
    ])
      expect(read(`!mint ${link(href, text)} --rooms all`, `!mint ${plain} --rooms all`)).toMatch(
        /^\[(?:The link )?“/,
      );
  });

  it.each([
    ['a room by another’s id', link('https://matrix.to/#/!ops:example.org', '!hr:example.org')],
    ['a room by another’s alias', link('https://matrix.to/#/#ops:example.org', '#hr:example.org')],
    ['the beginning of another', link('https://matrix.to/#/!ops:example.org', '!hr')],
    ['an event', link('https://matrix.to/#/!ops:example.org/$event', '!ops:example.org')],
    ['a picture', '<img src="mxc://x/y" alt="!ops:example.org">'],
    ['an id that begins before the link', `!o${link('https://evil.org', 'ps:example.org')}`],
    ['an id that ends after the link', `${link('https://evil.org', '!ops')}:example.org`],
    ['an id in two links', link('https://evil.org', '!ops') + link('https://x.org', ':example.org')],
    ['a link nobody sees', link('https://matrix.to/#/!ops:example.org', '\u200b')],
    ['a link nobody sees beside text', `!hr:x.org${link('https://matrix.to/#/!ops:example.org', '')}`],
    ['text that makes the id longer', `${link('https://matrix.to/#/!ops:example.org', 'Ops')}.evil.org`],
    ['text before it', `x${link('https://matrix.to/#/!ops:example.org', 'Ops')}`],
    ['a list of another length', link('https://matrix.to/#/%23a%2Cb:example.org', 'Ops')],
    ['an id that would be cut', link('https://matrix.to/#/%23a%E2%80%8Bb:example.org', 'Ops')],
  ])('refused: %s', (_, html) => {
    const body = html.replace(/<img[^>]*alt="([^"]*)"[^>]*>/g, '$1').replace(/<[^>]*>/g, '');
    expect(read(`!mint @a --rooms ${html}`, `!mint @a --rooms ${body}`)).toMatch(/^\[(?!Your)/);
  });

  it.each([
    ['https://matrix.to/#/!ops:example.org', '!ops:example.org'],
    ['https://matrix.to/#/!ops:example.org', '!op'],
    ['https://matrix.to/#/!ops:example.org', 'Ops: the room'],
    ['https://matrix.to/#/%23ops:example.org', '#ops:example.org'],
  ])('takes %s under the name %s', (href, text) => {
    const id = parsePermalink(href);
    expect(read(`!mint @a --rooms ${link(href, text)}`, `!mint @a --rooms ${text}`)).toBe(
      `!mint @a --rooms ${id}`,
    );
  });

  it.each(['@carol', '@Carol'])('takes a short name in any case (%s), a whole id as it is', (text) => {
    expect(read(`!x ${pill(text)}`, `!x ${text}`)).toBe(`!x ${CAROL}`);
    expect(read(`!x ${pill('@Carol:example.org')}`, '!x @Carol:example.org')).toMatch(/^\[The link/);
  });

  it('takes what clients make of a list, a sentence and the bot’s name', () => {
    const rooms = `${link('https://matrix.to/#/!a:x.org', 'A')},${link('matrix:r/b:x.org', 'B')}`;
    expect(read(`!mint @a --rooms ${rooms}`, '!mint @a --rooms A,B')).toBe(
      '!mint @a --rooms !a:x.org,#b:x.org',
    );
    expect(
      read(
        `!mint @a --reason "${pill('Carol')}, by ${pill('Carol')}."`,
        '!mint @a --reason "Carol, by Carol."',
      ),
    ).toBe(`!mint @a --reason "${CAROL}, by ${CAROL}."`);
    const bot = link('https://matrix.to/#/@mintwarden:example.org', '@Warden');
    expect(read(`${bot}: list`, '@Warden: list')).toBe('@mintwarden:example.org: list');
  });

  it.each([
    [
      'a server name in an id',
      '!list --user @alice:<a href="http://example.org">example.org</a>',
      '!list --user @alice:example.org',
    ],
    [
      'a server name in a room',
      '!x !ops:<a href="https://example.org/">example.org</a>',
      '!x !ops:example.org',
    ],
    [
      'an address',
      '!x <a href="https://mastodon.example/@alice">https://mastodon.example/@alice</a>',
      '!x https://mastodon.example/@alice',
    ],
    ['an escaped address', '!x <a href="https://x.org/%C3%A9">https://x.org/é</a>', '!x https://x.org/é'],
    ['mail', '!x <a href="mailto:alice@example.org">alice@example.org</a>', '!x alice@example.org'],
    ['words', '!x see <a href="https://example.org/1">the ticket</a>', '!x see the ticket'],
  ])('leaves alone what clients link by themselves: %s', (_, html, body) =>
    expect(read(html, body)).toBe(body),
  );

  it('reads nested links as a browser does: the second ends the first', () => {
    const nested = (first: string, second: string) =>
      `!list --user <a href="${first}">@alice, <a href="${second}">Carol</a></a>`;
    const her = `https://matrix.to/#/${CAROL}`;
    expect(read(nested('https://evil.org', her), '!list --user @alice, Carol')).toMatch(
      /^\[“@alice” is a link/,
    );
    const both = nested('https://matrix.to/#/@alice:example.org', her);
    expect(read(both, '!list --user @alice, Carol')).toMatch(/^\[Text stands directly beside/);
  });
});

describe('one message says one thing', () => {
  it.each([
    ['bold and underscores', '!mint @a_b_c <strong>x</strong>', '!mint @a_b_c **x**'],
    ['a name with underscores that Markdown took', '!x !<em>a</em>', '!x !_a_'],
    ['colours', '<font color="red">!</font><font color="blue">list</font>', '!list'],
    ['code', '<pre><code>!list\n</code></pre>', '```\n!list\n```'],
    ['a custom emoji', '!list <img data-mx-emoticon src="mxc://x/y" alt=":ok:" title=":ok:">', '!list :ok:'],
    ['as many tags as are read', `${'<br>'.repeat(500)}!list`, '!list'],
    ['nesting as deep as clients show', `${'<u>'.repeat(99)}!list`, '!list'],
    ['entities', '!x &lt;b&gt; &amp; c', '!x <b> & c'],
  ])('whatever formatting does: %s', (_, html, body) => expect(read(html, body)).toBe(body));

  it.each([
    ['another user', '!mint @alice --rooms all', '!mint @bob --rooms all'],
    ['a word more', '!mint @alice --rooms all', '!mint @alice --rooms all --to @eve'],
    [
      'hidden text',
      '!mint @alice --rooms all<script>--to @eve</script>',
      '!mint @alice --rooms all --to @eve',
    ],
    ['a comment', '!mint @alice<!-- --to @eve -->', '!mint @alice --to @eve'],
    ['deeper than is read', `${'<b>'.repeat(2_600)}!list`, '!list'],
    ['a little deeper than clients show', `${'<b>'.repeat(100)}!list`, '!list'],
    ['more tags than are read', `${'<br>'.repeat(501)}!list`, '!list'],
    ['more than is read', `!list<b>${' '.repeat(8_000)}</b>`, '!list'],
  ])('refused: %s', (_, html, body) =>
    expect(read(html, body)).toMatch(/^\[(?:Your message says one|That message has too)/),
  );

  it('refuses what makes text look as if it stood in another order', () => {
    for (const sign of ['\u202e', '\u2066', '\u202a'])
      expect(read('', `!list --user @${sign}ecila`)).toMatch(/^\[There are invisible/);
    expect(read('', '!list --user @al\u200bice')).toBe('!list --user @al\u200bice');
  });
});

describe('in the control room', () => {
  let stage: BotStage;
  beforeEach(async () => {
    stage = await botStage();
  });
  afterEach(() => stage[Symbol.asyncDispose]());
  const grants = () => stage.services.ledger.grants({ limit: 9 });
  const BODY = `!mint @alice:x.org --rooms ${OPS} --ttl 1h`;
  const html = (href: string) => `!mint <a href="${href}">@alice:x.org</a> --rooms ${OPS} --ttl 1h`;

  it.each([
    'https://chat.x.org/#/user/@carol:x.org',
    'element://user/@carol:x.org',
    'https://matrix.to/#/@dev/ci:x.org',
    'matrix:u/dev/ci:x.org',
  ])('no token is made for whom the text of %s names', async (href) => {
    expect(await stage.says(BODY, { html: html(href) })).toMatch(/^The link “@alice:x.org” leads to “@/);
    expect(await grants()).toEqual([]);
  });

  it.each(['https://chat.x.org/#/user/@alice:x.org', 'matrix:u/alice:x.org'])(
    'a token is made by %s',
    async (href) => {
      await stage.says(BODY, { html: html(href) });
      expect(await grants()).toMatchObject([{ subject: ALICE }]);
    },
  );

  it('the recipient and the creator of rooms are read the same way', async () => {
    const to = `--to <a href="element://user/@eve:x.org">@ada:x.org</a>`;
    const said = await stage.says(`${BODY} --to @ada:x.org`, { html: `${BODY} ${to}` });
    expect(said).toMatch(/leads to “@eve:x.org”/);
    const by = await stage.says('!mint @alice --rooms-by https://matrix.to/#/@bridge:x.org --dry-run');
    expect(by).toContain('@bridge:x.org');
    expect(await stage.says('!mint @alice --rooms-by https://matrix.to/#/@b*:x.org --dry-run')).toMatch(
      /is not a user/,
    );
    expect(await grants()).toEqual([]);
  });

  it('nobody is answered who does not speak to the bot, and nobody who may not command', async () => {
    expect(
      await stage.says('see @alice:x.org', { html: 'see <a href="https://evil.org">@alice:x.org</a>' }),
    ).toBe('');
    const sender = '@mallory:x.org' as UserId;
    expect(await stage.says(BODY, { html: html('https://evil.org'), sender })).toBe('');
  });
});
