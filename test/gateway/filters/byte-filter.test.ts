import { describe, expect, test } from 'vitest';
import { byteFilter, filterBytes, type RoomTask } from '../../../src/gateway/filters/bytes/byte-filter.ts';
import { ALL_TYPES } from '../../../src/gateway/filters/readable-types.ts';
import { OPS, SECRET } from '../support/grants.ts';
import { caseOf } from './fuzz/cases.ts';
import { compare, type Verdict } from './fuzz/compare.ts';

const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000);

test('what it shows of mutated answers is what the filter over parsed JSON shows, or less', () => {
  const tally: Record<Verdict, number> = { equal: 0, nothing: 0, stricter: 0, rejected: 0, laxer: 0 };
  const count = 4_000;
  for (let number = 0; number < count; number++) {
    const one = caseOf(seed, number);
    const { verdict, tree, bytes } = compare(one);
    tally[verdict]++;
    if (verdict === 'laxer') expect({ seed, number, given: one.bytes.toString(), bytes }).toEqual({ tree });
  }
  expect({ seed, laxer: tally.laxer }).toEqual({ seed, laxer: 0 });
  // It would mean nothing if nearly all were refused.
  expect(tally.equal).toBeGreaterThan(count / 3);
  expect(tally.rejected + tally.stricter).toBeLessThan(count / 10);
}, 60_000);

const TASK: RoomTask = { kind: 'messages', roomId: OPS, readable: ALL_TYPES };
const page = (...events: readonly string[]): Buffer => Buffer.from(`{"chunk":[${events.join(',')}]}`);
const event = (content: string, more = ''): string =>
  `{"type":"m.room.message","sender":"@bob:hs.test","room_id":"${OPS}","content":${content}${more}}`;
const written = (...events: readonly string[]): string =>
  filterBytes(page(...events), TASK)?.bytes.toString() ?? '';
const events = (...given: readonly string[]): unknown[] =>
  (JSON.parse(written(...given)) as { chunk: unknown[] }).chunk;

describe('an event', () => {
  test('that is shown whole is passed on as it is', () => {
    const whole = event('{ "body" : "caf\\u00e9 ☕", "n":1.50, "list":[ 1, {} ] }');
    expect(written(whole)).toBe(page(whole).toString());
  });

  test.each([
    ['a key that is escaped', event('{}').replace('"type"', '"t\\u0079pe"')],
    ['a key that comes twice', event('{"body":"a"}', ',"content":{"body":"b"}')],
    ['a room that comes twice', event('{}', `,"room_id":"${SECRET}"`)],
  ])('with %s is what a reader of JSON makes of it', (_, given) => {
    const parsed = JSON.parse(given) as Record<string, unknown>;
    expect(events(given)).toEqual(parsed['room_id'] === OPS ? [parsed] : []);
  });

  test('that names its room twice is in the one that readers of JSON take', () => {
    expect(events(`{"room_id":"${OPS}",${event('{}').slice(1).replace(OPS, SECRET)}`)).toEqual([]);
  });

  test('whose content has a key twice is written so that all readers see the same', () => {
    expect(written(event('{"a":1,"b":{"c":1,"c":2}}'))).toContain('"content":{"a":1,"b":{"c":2}}');
    expect(written(event('{"a":1,"\\u0061":2}'))).toContain('"content":{"a":2}');
    const many = Array.from({ length: 30 }, (_, at) => `"k${at}":${at}`).join(',');
    expect(written(event(`{${many},"k3":true}`))).toContain('"k3":true,"k4":4');
  });

  test('with numbers that are none to a reader is written as it would be', () => {
    expect(written(event('{"a":1e400,"b":-0,"c":1e2}'))).toContain('"content":{"a":null,"b":0,"c":100}');
  });

  test('that would have to be parsed and is larger than an event can be is left out; others are not', () => {
    const large = `{"body":"${'x'.repeat(70_000)}"}`;
    const odd = event(large.replace('{', '{"a":1,"a":2,'));
    expect(events(odd, event('{}'))).toHaveLength(1);
    expect(events(event(large), event('{}'))).toHaveLength(2);
    expect(events(event(large).replace('"type"', '"t\\u0079pe"'), event('{}'))).toHaveLength(1);
  });

  test('that is nested deeper than can be right is left out', () => {
    const deep = (depth: number): string => `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    expect(events(event(deep(90)), event(deep(110)), event(deep(30_000)))).toHaveLength(1);
  });

  test('larger than a mebibyte is left out, in whatever pieces it comes', () => {
    const given = page(event(`{"body":"${'x'.repeat(1_200_000)}"}`), event('{}'));
    for (const size of [10_000, 500_000, 2_000_000]) {
      const filter = byteFilter(TASK);
      for (let at = 0; at < given.length; at += size) filter.push(given.subarray(at, at + size));
      filter.end();
      const chunk = (JSON.parse(filter.result()?.bytes.toString() ?? '') as { chunk: unknown[] }).chunk;
      expect({ size, shown: chunk.length }).toEqual({ size, shown: 1 });
    }
  });

  test('shows media, whatever its address is written like, but not what is copied', () => {
    const result = filterBytes(
      page(
        event('{"url":"mxc://hs.test/plain"}'),
        event('{"info":{"thumbnail_url":"mxc:\\/\\/hs.test\\/escaped"}}'),
        event('{"avatar_url":"\\u006dxc://hs.test/unicode","m.relates_to":{"url":"mxc://hs.test/copied"}}'),
        event('{"a":1,"a":2,"url":"mxc://hs.test/odd"}'),
        event('{"url":"mxc://hs.test/elsewhere"}').replace(OPS, SECRET),
      ),
      TASK,
    );
    expect(result?.references.map(({ address }) => address.slice('mxc://hs.test/'.length))).toEqual([
      'plain',
      'escaped',
      'unicode',
      'odd',
    ]);
    expect(result?.references[0]).toMatchObject({
      roomId: OPS,
      type: 'm.room.message',
      sender: '@bob:hs.test',
      stateKey: null,
      sentAt: null,
    });
  });
});

describe('an answer is invalid', () => {
  const good = page(event('{"a":[1,"é"]}')).toString();
  test.each([
    ['empty', ''],
    ['cut off', good.slice(0, -1)],
    ['followed by more', `${good}{}`],
    ['followed by a NUL', `${good}\u0000`],
    ['begun with a byte order mark', `\ufeff${good}`],
    ['a list', `[${good}]`],
    ['with a control character in a string', good.replace('é', '\n')],
    ['with an escape that is none', good.replace('é', '\\x')],
    ['with half an escape', good.replace('é', '\\u12')],
    ['with a number that begins with 0', good.replace('1,', '01,')],
    ['with a number without digits', good.replace('1,', '-,')],
    ['with a number that ends in a dot', good.replace('1,', '1.,')],
    ['with a word that is none', good.replace('1,', 'nul,')],
    ['with a comma too many', good.replace('"é"]', '"é",]')],
    ['with brackets that do not match', good.replace('"é"]', '"é"}')],
    ['with a list that comes twice', good.replace('{"chunk"', '{"chunk":[],"chunk"')],
    ['without its list', '{"start":"a"}'],
  ])('that is %s', (_, given) => {
    expect(() => filterBytes(Buffer.from(given), TASK)).toThrow(
      expect.objectContaining({ code: 'homeserver-invalid-response' }),
    );
    for (const size of [1, 3]) {
      const filter = byteFilter(TASK);
      expect(() => {
        const bytes = Buffer.from(given);
        for (let at = 0; at < bytes.length; at += size) filter.push(bytes.subarray(at, at + size));
        filter.end();
      }).toThrow(expect.objectContaining({ code: 'homeserver-invalid-response' }));
    }
  });

  test.each([[0x80], [0xc3], [0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80]])(
    'that is no UTF-8',
    (...bytes) => {
      const [before = '', after = ''] = good.split('é');
      const given = Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)]);
      expect(() => filterBytes(given, TASK)).toThrow(
        expect.objectContaining({ code: 'homeserver-invalid-response' }),
      );
    },
  );

  test('and the next one is not touched by it', () => {
    expect(() => filterBytes(Buffer.from('{"chunk":[{"a"'), TASK)).toThrow('no proper end');
    expect(events(event('{}'))).toHaveLength(1);
  });
});
