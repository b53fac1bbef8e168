import { describe, expect, it } from 'vitest';
import { type EndpointRule, listVerdict, parseEndpoint } from '../../src/domain/endpoint-rule.ts';

const deny = (text: string): EndpointRule => ({ verdict: 'deny', on: parseEndpoint(text) });
const allow = (text: string): EndpointRule => ({ verdict: 'allow', on: parseEndpoint(text) });

describe('an endpoint', () => {
  it.each([
    ['/_matrix/client/v3/sync', '* /_matrix/client/v3/sync'],
    ['get /_matrix/client/v3/sync', 'GET /_matrix/client/v3/sync'],
    ['PUT:/_matrix/**', 'PUT /_matrix/**'],
    ['* /**', '* /**'],
  ])('%s is %s', (text, spelled) => {
    expect(parseEndpoint(text)).toBe(spelled);
    expect(parseEndpoint(spelled)).toBe(spelled);
  });

  it.each([
    '',
    'GET',
    '_matrix/client',
    'PATCH /x',
    'GET /a/**/b',
    'GET /a/*b',
    'GET /a?b',
    'GET /a,b',
    'GET /a b',
    'GET /%zz',
    'GET /a/../b',
    'GET //a',
    'GET /a***',
  ])('%j is none', (text) =>
    expect(() => parseEndpoint(text)).toThrow(expect.objectContaining({ code: 'usage' })),
  );
});

describe('a list of rules', () => {
  it.each([
    ['/_matrix/client/v3/rooms/!a:x/send/m.room.message/1', 'the name of the rule'],
    ['/_matrix/client/r0/rooms/!a:x/send/m.room.message/1', 'an older version'],
    ['/_matrix/client/v1/rooms/%21a%3Ax/send/m.room.message/1', 'encoded'],
    ['/_matrix/client/unstable/rooms/!a:x/%73end/m.room.message/1', 'encoded without need'],
    ['/_matrix/client/v3/rooms/!a:x/send', 'the path itself'],
    ['/_matrix/client/v3/rooms/!a:x/send/', 'a slash at the end'],
    ['/_matrix/client/v3/rooms/%zz/send', 'not to be read'],
  ])('that denies cannot be passed by %s (%s)', (path) => {
    expect(listVerdict([deny('PUT /_matrix/client/v3/rooms/!a:x/send/**')], 'PUT', path)).toBe('deny');
  });

  it('lets be what no rule speaks of, unless it allows something', () => {
    expect(listVerdict([deny('PUT /a')], 'GET', '/a')).toBe('allow');
    expect(listVerdict([allow('GET /a')], 'GET', '/b')).toBe('deny');
    expect(listVerdict([allow('GET /a')], 'HEAD', '/a')).toBe('allow');
    expect(listVerdict([deny('GET /a')], 'HEAD', '/a')).toBe('deny');
    expect(listVerdict([], 'GET', '/b')).toBe('allow');
  });

  it('is decided by the first rule that fits', () => {
    const rules = [deny('* /a/secret'), allow('GET /a/**')];
    expect(listVerdict(rules, 'GET', '/a/secret')).toBe('deny');
    expect(listVerdict(rules, 'GET', '/a/open')).toBe('allow');
    expect(listVerdict(rules, 'PUT', '/a/open')).toBe('deny');
    expect(listVerdict(rules.toReversed(), 'GET', '/a/secret')).toBe('allow');
  });

  it('compares segments whole: an encoded slash parts nothing', () => {
    expect(listVerdict([allow('GET /rooms/*/state')], 'GET', '/rooms/a%2Fstate')).toBe('deny');
    expect(listVerdict([allow('GET /rooms/*')], 'GET', '/rooms/a/b')).toBe('deny');
  });
});
