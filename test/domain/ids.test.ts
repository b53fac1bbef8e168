import { describe, expect, it } from 'vitest';
import {
  localpartOf,
  parseEventId,
  parseRoomAlias,
  parseRoomId,
  parseUserId,
  serverOf,
} from '../../src/domain/ids.ts';

describe('ids', () => {
  it.each(['@alice:example.org', '@a:[::1]:8448', '@Ünïcode:x', '@:example.org', '@a/b+c:127.0.0.1:80'])(
    'takes the user id %s',
    (text) => {
      expect(parseUserId(text)).toBe(text);
    },
  );

  it.each([
    '',
    '@',
    'alice',
    '@alice',
    '@alice:',
    'alice:example.org',
    '@alice:exa mple.org',
    '@alice:example.org ',
    ' @alice:example.org',
    '@alice:example.org\n',
    '@ali\u0000ce:example.org',
    '@ali\u00a0ce:example.org',
    '@ali\u2028ce:example.org',
    '@ali\ud800ce:example.org',
    '@alice:example.org/x',
    '@alice:ex@mple',
    `@${'a'.repeat(250)}:b.org`,
    `@${'ü'.repeat(125)}:b.org`,
  ])('takes %j for no user id', (text) => {
    expect(parseUserId(text)).toBeNull();
  });

  it('counts the bytes of an id, not its letters', () => {
    expect(parseUserId(`@${'a'.repeat(248)}:b.org`)).not.toBeNull();
    expect(parseUserId(`@${'a'.repeat(249)}:b.org`)).toBeNull();
  });

  it('takes room ids with and without a server part, and nothing that could end a path segment', () => {
    for (const text of ['!a:example.org', '!_dDn1kut5YSer-wBS', '!a?b#c%2F'])
      expect(parseRoomId(text)).toBe(text);
    for (const text of ['!', '', '#a:b', '!a/b', '!a b', '!a\n', `!${'x'.repeat(255)}`])
      expect(parseRoomId(text)).toBeNull();
  });

  it('tells aliases and events from the rest', () => {
    expect(parseRoomAlias('#ops:example.org')).toBe('#ops:example.org');
    for (const text of ['#ops', '#:example.org', '!a:b', '#ops:exa mple'])
      expect(parseRoomAlias(text)).toBeNull();
    expect(parseEventId('$abc')).toBe('$abc');
    for (const text of ['$', 'abc', '$a b']) expect(parseEventId(text)).toBeNull();
  });

  it('splits at the first colon: the server part can have more of them', () => {
    const id = parseUserId('@alice:[::1]:8448');
    expect(id && [localpartOf(id), serverOf(id)]).toEqual(['alice', '[::1]:8448']);
  });
});
