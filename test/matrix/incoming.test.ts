import { describe, expect, test } from 'vitest';
import type { RoomId } from '../../src/domain/ids.ts';
import { parseEvent, type RoomEvent } from '../../src/matrix/events.ts';
import { toMessage } from '../../src/matrix/incoming.ts';

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

test('a reply comes with its quote, and with what it replies to', () => {
  const formatted_body = '<mx-reply><blockquote>!mint</blockquote></mx-reply>!revoke 7F3K9Q';
  const body = '> <@b:x> !mint @eve\n\n!revoke 7F3K9Q';
  const found = message({
    msgtype: 'm.text',
    body,
    format: 'org.matrix.custom.html',
    formatted_body,
    'm.relates_to': { 'm.in_reply_to': { event_id: '$o' } },
  });
  expect(found).toMatchObject({ body, html: formatted_body, replyTo: '$o' });
});
