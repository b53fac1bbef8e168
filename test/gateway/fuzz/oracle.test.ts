import { describe, expect, test } from 'vitest';
import type { Scope } from '../../../src/domain/scope.ts';
import { faultOfAsked } from './oracle/asked.ts';
import { faultOfResponse } from './oracle/response.ts';
import { markOf, ROOMS, SUBJECT } from './world.ts';

// The oracle can fail: each thing that it is there for, by hand.

const scope: Scope = {
  v: 1,
  rooms: [ROOMS[0] as never],
  can: ['read', 'send:m.room.message', 'redact', 'react'],
};
const bounds = { scope, rooms: new Set<string>([ROOMS[0] as string]), subject: SUBJECT };
const IN = '/_matrix/client/v3/rooms/!nq0r%3Ahs.test';
const asked = (method: string, url: string, body = '', headers: readonly string[] = []) =>
  faultOfAsked(
    { method, url, body, rawHeaders: ['host', 'x', 'authorization', 'Bearer syt', ...headers] },
    bounds,
  );

describe('what may be asked', () => {
  test.each([
    ['GET', `${IN}/messages?dir=b&limit=5`, ''],
    ['GET', `${IN}/state/m.room.name/`, ''],
    ['GET', '/_matrix/client/v3/profile/%40nq0u%3Ahs.test', ''],
    ['PUT', `${IN}/send/m.room.message/mwabc`, '{"body":"x"}'],
    ['PUT', `${IN}/redact/%24nq0b/mwabc`, '{"reason":"x"}'],
    [
      'GET',
      '/_matrix/client/v3/sync?filter=%7B%22room%22%3A%7B%22rooms%22%3A%5B%22!nq0r%3Ahs.test%22%5D%7D%7D&set_presence=offline&timeout=0',
      '',
    ],
  ])('%s %s', (method, url, body) => expect(asked(method, url, body)).toBeNull());

  test.each([
    ['another room', 'GET', '/_matrix/client/v3/rooms/!nq1r%3Ahs.test/messages', ''],
    ['a room that looks alike', 'GET', '/_matrix/client/v3/rooms/!NQ0R%3Ahs.test/messages', ''],
    ['the holder’s own spelling', 'GET', '/_matrix/client/v3/rooms/!nq0r:hs.test/messages', ''],
    ['an unknown parameter', 'GET', `${IN}/messages?user_id=x`, ''],
    ['a parameter twice', 'GET', `${IN}/messages?dir=b&dir=b`, ''],
    [
      'another room in a filter',
      'GET',
      `${IN}/messages?filter=%7B%22rooms%22%3A%5B%22!nq1r%3Ahs.test%22%5D%7D`,
      '',
    ],
    ['presence', 'GET', '/_matrix/client/v3/sync?set_presence=online', ''],
    ['an older name', 'GET', '/_matrix/client/r0/rooms/!nq0r%3Ahs.test/messages', ''],
    ['dots', 'GET', `${IN}/../messages`, ''],
    ['a body where none belongs', 'GET', `${IN}/messages`, '{}'],
    ['another method', 'DELETE', `${IN}/messages`, ''],
    ['administration', 'GET', '/_synapse/admin/v1/users', ''],
    ['a stranger’s profile', 'GET', '/_matrix/client/v3/profile/%40nq1u%3Ahs.test', ''],
    ['another type', 'PUT', `${IN}/send/m.sticker/mwabc`, '{"body":"x"}'],
    ['the holder’s transaction id', 'PUT', `${IN}/send/m.room.message/t1`, '{"body":"x"}'],
    ['an unknown key', 'PUT', `${IN}/redact/%24nq0b/mwabc`, '{"with_relations":["*"]}'],
    ['another room’s event', 'PUT', `${IN}/redact/%24nq1b/mwabc`, '{}'],
    [
      'a relation into another room',
      'PUT',
      `${IN}/send/m.room.message/mwabc`,
      '{"m.relates_to":{"rel_type":"m.thread","event_id":"$nq1a"}}',
    ],
    [
      'an edit',
      'PUT',
      `${IN}/send/m.room.message/mwabc`,
      '{"m.relates_to":{"rel_type":"m.replace","event_id":"$nq0a"}}',
    ],
    ['everybody rung', 'PUT', `${IN}/send/m.room.message/mwabc`, '{"body":"@room"}'],
    ['a body in the holder’s spelling', 'PUT', `${IN}/send/m.room.message/mwabc`, '{ "body":"x"}'],
    [
      'a search everywhere',
      'POST',
      '/_matrix/client/v3/search',
      '{"search_categories":{"room_events":{"search_term":"x","filter":{"not_rooms":[]}}}}',
    ],
  ])('not %s', (_name, method, url, body) => expect(asked(method, url, body)).not.toBeNull());

  test.each([
    ['every type', 'GET', `${IN}/context/%24nq0a?filter=%7B%7D`, ''],
    ['another type', 'GET', `${IN}/context/%24nq0a?filter=%7B%22types%22%3A%5B%22m.reaction%22%5D%7D`, ''],
    [
      'who reacted',
      'GET',
      `${IN}/context/%24nq0a?filter=%7B%22types%22%3A%5B%5D%2C%22related_by_senders%22%3A%5B%5D%7D`,
      '',
    ],
    ['other state', 'GET', `${IN}/state/m.room.topic/`, ''],
    [
      'other relations',
      'GET',
      '/_matrix/client/v1/rooms/!nq0r%3Ahs.test/relations/%24nq0a/m.annotation/m.reaction',
      '',
    ],
    ['members', 'GET', `${IN}/members`, ''],
    ['names', 'GET', `${IN}/aliases`, ''],
    ['moments', 'GET', '/_matrix/client/v1/rooms/!nq0r%3Ahs.test/timestamp_to_event?ts=1', ''],
    ['a profile', 'GET', '/_matrix/client/v3/profile/%40nq0u%3Ahs.test', ''],
    [
      'a search of topics',
      'POST',
      '/_matrix/client/v3/search',
      `{"search_categories":{"room_events":{"search_term":"x","filter":{"types":["m.room.message"],"rooms":["${ROOMS[0]}"],"not_rooms":[]}}}}`,
    ],
  ])('by type, not %s', (_name, method, url, body) => {
    const typed = { ...bounds, scope: { ...scope, can: ['read:m.room.message'] as never } };
    const one = { method, url, body, rawHeaders: ['host', 'x', 'authorization', 'Bearer syt'] };
    expect(faultOfAsked(one, typed)).not.toBeNull();
    expect(faultOfAsked(one, bounds)).toBeNull();
  });

  test('no header of the holder’s', () => {
    expect(asked('GET', `${IN}/messages`, '', ['x-forwarded-for', '1.2.3.4'])).not.toBeNull();
    expect(asked('GET', `${IN}/messages`, '', ['user-agent', 'fuzz'])).not.toBeNull();
  });
});

describe('what may be told', () => {
  const told = (
    body: string,
    headers: readonly string[] = ['Cache-Control: no-store'],
    known: readonly string[] = [],
  ) => faultOfResponse({ status: 200, headers, body }, bounds, new Set(known));
  test('what is of a room in scope, and what the holder said', () => {
    expect(told('{"a":"hq0h !nq0r:hs.test"}')).toBeNull();
    expect(told('{"a":"!nq1r:hs.test"}', undefined, ['1'])).toBeNull();
  });
  test.each([
    ['what is said elsewhere', '{"a":"hq1h"}'],
    ['what is said elsewhere, though the holder named the room', '{"a":"hq2h"}'],
    ['another room’s name', '{"a":"!nq1r:hs.test"}'],
    ['the subject’s own', '{"a":"hqx"}'],
    ['tags', '{"a":"hqt"}'],
    ['a count', '{"a":90909}'],
    ['a token', '{"a":"syt_x"}'],
  ])('not %s', (_name, body) => expect(told(body, undefined, ['2'])).not.toBeNull());
  test.each([['read:m.room.message'], ['read:m.room.*'], ['send']] as const)(
    'not of another type, with %s',
    (can) => {
      const typed = { ...bounds, scope: { ...scope, can: [can] } };
      const say = (body: string) =>
        faultOfResponse({ status: 200, headers: ['Cache-Control: no-store'], body }, typed, new Set());
      expect(say(`{"a":"${markOf('m.room.message')}"}`) === null).toBe(can !== 'send');
      expect(say(`{"a":"${markOf('m.reaction')}"}`)).not.toBeNull();
      expect(say(`{"a":"${markOf('')}"}`)).not.toBeNull();
    },
  );
  test('no header of the homeserver’s, and nothing that may be kept', () => {
    expect(told('{}', ['Cache-Control: no-store', 'Server: x'])).not.toBeNull();
    expect(told('{}', ['Cache-Control: public'])).not.toBeNull();
  });
});
