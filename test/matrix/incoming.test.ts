import { describe, expect, test } from 'vitest';
import type { RoomId } from '../../src/domain/ids.ts';
import { parseEvent, type RoomEvent } from '../../src/matrix/events.ts';
import { toMessage, stripQuoteFallback } from '../../src/matrix/incoming.ts';

const ROOM = '!r:x' as RoomId;

function event(content: object, type = 'm.room.message'): RoomEvent {
  const parsed = parseEvent({ event_id: '$e', type, sender: '@a:x', origin_server_ts: 7, content });
  if (parsed === null) throw new Error('no event');
  return parsed;
}

function message(content: object) {
  const plain = event(content);
  return toMessage(ROOM, plain, plain, null);
}

describe('what counts as a message', () => {
  test('a text', () => {
    expect(message({ msgtype: 'm.text', body: '!list' })).toEqual({
      roomId: ROOM,
      eventId: '$e',
      sender: '@a:x',
      body: '!list',
      html: null,
      replyTo: null,
      isEdit: false,
      sentAt: 7,
      encryption: null,
    });
  });

  test.each([
    ['a notice', { msgtype: 'm.notice', body: '!list' }],
    ['an emote', { msgtype: 'm.emote', body: '!list' }],
    ['no body', { msgtype: 'm.text' }],
    ['a body that is no text', { msgtype: 'm.text', body: 5 }],
    ['no message type', { body: '!list' }],
  ])('not %s', (_name, content) => {
    expect(message(content)).toBeNull();
  });

  test('not another type inside the ciphertext', () => {
    expect(
      toMessage(
        ROOM,
        event({}, 'm.room.encrypted'),
        { type: 'm.reaction', content: { msgtype: 'm.text', body: 'x' } },
        null,
      ),
    ).toBeNull();
  });
});

describe('an edit is an edit', () => {
  const edited = {
    msgtype: 'm.text',
    body: '* !mint',
    'm.new_content': { msgtype: 'm.text', body: '!mint' },
  };
  const relation = { 'm.relates_to': { rel_type: 'm.replace', event_id: '$o' } };

  test.each([
    ['by its relation', { msgtype: 'm.text', body: '!mint', ...relation }, {}],
    ['by the relation outside the ciphertext', { msgtype: 'm.text', body: '!mint' }, relation],
    ['though the homeserver dropped the relation', edited, {}],
  ])('%s', (_name, clear, outside) => {
    const found = toMessage(
      ROOM,
      event(outside, 'm.room.encrypted'),
      { type: 'm.room.message', content: clear },
      null,
    );
    expect(found?.isEdit).toBe(true);
  });
});

describe('a reply', () => {
  const to = { 'm.relates_to': { 'm.in_reply_to': { event_id: '$o' } } };

  test('loses its quote', () => {
    const html = '<mx-reply><blockquote>!mint</blockquote></mx-reply><b>!revoke</b>';
    const found = message({
      msgtype: 'm.text',
      body: '> <@b:x> !mint @eve\n> more\n\n!revoke 7F3K9Q',
      format: 'org.matrix.custom.html',
      formatted_body: html,
      ...to,
    });
    expect(found).toMatchObject({ body: '!revoke 7F3K9Q', html: '<b>!revoke</b>', replyTo: '$o' });
  });

  test('that the homeserver made of a quotation does not become the command below it', () => {
    const clear = {
      type: 'm.room.message',
      content: { msgtype: 'm.text', body: '> shall I send this?\n\n!mint @alice --rooms all' },
    };
    const encryption = {
      sessionId: 's',
      messageIndex: 0,
      deviceSigned: true,
      masterKey: 'M',
      isReplaced: false,
    };
    const said = (content: object) =>
      toMessage(
        ROOM,
        event(to, 'm.room.encrypted'),
        { ...clear, content: { ...clear.content, ...content } },
        encryption,
      );
    expect(said({})?.body).toMatch(/^> shall/);
    const formatted_body = '<mx-reply><blockquote>shall I?</blockquote></mx-reply>!mint @alice --rooms all';
    expect(said({ format: 'org.matrix.custom.html', formatted_body })?.body).toBe('!mint @alice --rooms all');
  });

  test('a quote that is no reply stays', () => {
    expect(message({ msgtype: 'm.text', body: '> a\n\nb' })?.body).toBe('> a\n\nb');
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
