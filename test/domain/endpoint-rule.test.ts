import { describe, expect, it } from 'vitest';
import { type EndpointRule, firewall, listVerdict, parseEndpoint } from '../../src/domain/endpoint-rule.ts';

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

describe('a rule, whatever the spelling of the request', () => {
  const denies = (on: string, method: string, path: string) =>
    listVerdict([{ verdict: 'deny', on: parseEndpoint(on) }], method, path) === 'deny';
  const SYNC = '/_matrix/client/v3/sync';

  it('means every version of an operation, in client and media, and nowhere else', () => {
    for (const version of ['v3', 'r0', 'v1', 'unstable']) {
      expect(denies(`GET ${SYNC}`, 'GET', `/_matrix/client/${version}/sync`)).toBe(true);
      expect(denies('GET /_matrix/client/v*/sync', 'GET', `/_matrix/client/${version}/sync`)).toBe(true);
      expect(denies('GET /_matrix/media/u*/x', 'GET', `/_matrix/media/${version}/x`)).toBe(true);
      expect(denies(`GET /_matrix/client/${version}`, 'GET', '/_matrix/client/v3')).toBe(true);
    }
    expect(denies(`GET ${SYNC}`, 'GET', '/_matrix/client/v2/sync')).toBe(false);
    expect(denies(`GET ${SYNC}`, 'GET', '/_matrix/client/v3x/sync')).toBe(false);
    expect(denies('GET /_matrix/client/x*/sync', 'GET', SYNC)).toBe(false);
    expect(denies('GET /_matrix/client/*/sync', 'GET', '/_matrix/client/v9/sync')).toBe(true);
    for (const other of [
      '/_synapse/client/v',
      '/_matrix/other/v',
      '/other/client/v',
      '/x/_matrix/client/v',
    ]) {
      expect(denies(`GET ${other}3/sync`, 'GET', `${other}1/sync`)).toBe(false);
      expect(denies(`GET ${other}3/sync`, 'GET', `${other}3/sync`)).toBe(true);
      expect(denies(`GET ${other}*/sync`, 'GET', `${other.slice(0, -1)}r0/sync`)).toBe(false);
    }
  });

  it('forgives one slash at the end, not two, and none at the root', () => {
    expect(denies('GET /a', 'GET', '/a/')).toBe(true);
    expect(denies('GET /a/', 'GET', '/a')).toBe(true);
    expect(denies('GET /a', 'GET', '/a//')).toBe(false);
    expect(denies('GET /a', 'GET', '/')).toBe(false);
    expect(denies('GET /**', 'GET', '/')).toBe(true);
  });

  it('means methods in any case, HEAD as GET, and no method as all', () => {
    expect(denies('get /a', 'GET', '/a')).toBe(true);
    expect(denies('GET /a', 'head', '/a')).toBe(true);
    expect(denies('PUT /a', 'HEAD', '/a')).toBe(false);
    for (const method of ['GET', 'PUT', 'POST', 'DELETE']) expect(denies('/a', method, '/a')).toBe(true);
    expect(denies('  /a  ', 'GET', '/a')).toBe(true);
  });

  it('means segments decoded, and what is below where it ends in `**`', () => {
    expect(denies('GET /a%20b', 'GET', '/a b')).toBe(true);
    expect(denies('GET /a/**', 'GET', '/a')).toBe(true);
    expect(denies('GET /a/**', 'GET', '/a/b/c')).toBe(true);
    expect(denies('GET /a/b/**', 'GET', '/a')).toBe(false);
    expect(denies('GET /a/*', 'GET', '/a/b/c')).toBe(false);
    expect(denies('GET /a/b*', 'GET', '/a/bc')).toBe(true);
    expect(denies('GET /a/b*', 'GET', '/a/cb')).toBe(false);
  });

  it.each([
    'GET /a/.',
    'GET /a/../b',
    'GET /**/a',
    'GET /a**',
    'GET /a?b',
    'GET /a#b',
    'GET /a\\b',
    'PATCH /a',
    'a',
    'GET',
    'GET /a b',
    'GET /%E0%A4%A',
  ])('%s is none', (text) =>
    expect(() => parseEndpoint(text)).toThrow(expect.objectContaining({ code: 'usage' })),
  );

  it('is a thousand characters long at most', () => {
    expect(parseEndpoint(`GET /${'a'.repeat(999)}`)).toHaveLength(1_004);
    expect(() => parseEndpoint(`GET /${'a'.repeat(1_000)}`)).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/^.{10,140}$/) }),
    );
  });

  it('denies what cannot be read, under any of its names', () => {
    const allow = [{ verdict: 'allow', on: '* /**' }] as const;
    expect(listVerdict(allow, 'GET', '/a')).toBe('allow');
    expect(listVerdict(allow, 'GET', '/%E0%A4%A')).toBe('deny');
    expect(listVerdict(allow, 'GET', 'a')).toBe('deny');
    expect(listVerdict(allow, 'GET', '/a', [{ method: 'GET', path: '/%E0%A4%A' }])).toBe('deny');
    expect(listVerdict([], 'GET', '/%E0%A4%A')).toBe('deny');
    expect(listVerdict([], 'GET', '/a')).toBe('allow');
  });

  it('of an allowance and a denial of the same, the denial counts', () => {
    expect(firewall([], [])).toBeNull();
    const both = firewall(['GET /a', 'GET /b'], ['GET /a']) ?? [];
    expect(['/a', '/b', '/c'].map((path) => listVerdict(both, 'GET', path))).toEqual([
      'deny',
      'allow',
      'deny',
    ]);
  });
});
