import { describe, expect, it, test } from 'vitest';
import { stripQuoteFallback } from '../../src/bot/html/quote.ts';
import { typedText } from '../../src/bot/typed-text.ts';
import type { EventId, UserId } from '../../src/domain/ids.ts';

const ENCRYPTED = {
  sessionId: 's',
  messageIndex: 0,
  deviceSigned: true,
  masterKey: 'M',
  isReplaced: false,
};

function read(body: string, html: string | null, some: { reply?: boolean; encrypted?: boolean } = {}) {
  const replyTo = some.reply === false ? null : ('$o' as EventId);
  const encryption = some.encrypted === true ? ENCRYPTED : null;
  const context = { serverName: 'x.org', botUserId: '@mintwarden:x.org' as UserId };
  return typedText({ body, html, replyTo, encryption, isEdit: false }, context);
}

describe('a reply', () => {
  test('loses its quote', () => {
    const html = '<mx-reply><blockquote>!mint @eve more</blockquote></mx-reply>!revoke <b>7F3K9Q</b>';
    const body = '> <@b:x> !mint @eve\n> more\n\n!revoke 7F3K9Q';
    expect(read(body, html)).toEqual({ text: '!revoke 7F3K9Q', problem: null });
    expect(read(body, `\n ${html}`, { encrypted: true })).toEqual({ text: '!revoke 7F3K9Q', problem: null });
  });

  test('that the homeserver made of a quotation does not become the command below it', () => {
    const body = '> shall I send this?\n\n!mint @alice --rooms all';
    expect(read(body, null, { encrypted: true }).text).toMatch(/^> shall/);
    const html = '<mx-reply><blockquote>shall I?</blockquote></mx-reply>!mint @alice --rooms all';
    expect(read(body, html, { encrypted: true })).toEqual({
      text: '!mint @alice --rooms all',
      problem: null,
    });
  });

  test('loses a quote that is longer than any command', () => {
    const quote = `<mx-reply>${'<p>a line</p>'.repeat(2_000)}</mx-reply>`;
    const body = `> ${'a line'.repeat(2_000)}\n\n!revoke 7F3K9Q`;
    const said = (encrypted: boolean) => read(body, `${quote}!revoke 7F3K9Q`, { encrypted });
    expect(said(true)).toEqual({ text: '!revoke 7F3K9Q', problem: null });
    expect(said(false)).toEqual({ text: '!revoke 7F3K9Q', problem: null });
    expect(read(body, `${quote}${'<b>'.repeat(501)}!revoke 7F3K9Q`).problem?.message).toMatch(
      /too much form/,
    );
  });

  it.each([
    ['the second quote is no quote', '<mx-reply>a</mx-reply><mx-reply>!mint</mx-reply>!list', '> a\n\n!list'],
    ['a quote later is text', '!list<mx-reply> --user @eve</mx-reply>', '!list'],
    ['what closes inside it is still inside', '<mx-reply><b></mx-reply>!mint</b>!list', '> a\n\n!list'],
  ])('%s', (_, html, body) => expect(read(body, html).problem?.message).toMatch(/one thing with its form/));

  test('a quote that is no reply stays', () => {
    expect(read('> a\n\nb', null, { reply: false }).text).toBe('> a\n\nb');
    expect(read('b', '<mx-reply>a</mx-reply>b', { reply: false }).problem).not.toBeNull();
  });

  test.each([
    ['a', 'a'],
    ['> a', '> a'],
    ['> a\nb', 'b'],
    ['> a\n\n\nb', '\nb'],
    ['a\n> b\n\nc', 'a\n> b\n\nc'],
  ])('%j → %j', (body, rest) => {
    expect(stripQuoteFallback(body)).toBe(rest);
  });
});
