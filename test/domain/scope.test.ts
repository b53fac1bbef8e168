import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CAPABILITIES } from '../../src/domain/capability.ts';
import type { RoomId } from '../../src/domain/ids.ts';
import { allows, narrow, openRooms, parseScope, type Scope } from '../../src/domain/scope.ts';

const room = fc.constantFrom('!a', '!b', '!c', '!d', '!e') as fc.Arbitrary<RoomId>;
const rooms = fc.array(room, { maxLength: 5 });
const scope: fc.Arbitrary<Scope> = fc.record({
  v: fc.constant(1 as const),
  rooms: fc.oneof(fc.constant('all' as const), rooms),
  can: fc.subarray([...CAPABILITIES]),
});
const joined: readonly RoomId[] = ['!a', '!b', '!c', '!d', '!e'] as RoomId[];
const none: ReadonlySet<RoomId> = new Set();

/** What a scope comes to: all it opens and allows, as sets. */
const meaning = (of: Scope) => ({ rooms: openRooms(of, joined, none), all: of.rooms === 'all', can: new Set(of.can) });

describe('narrow', () => {
  it('is an intersection: both must open the room and hold the capability', () => {
    fc.assert(
      fc.property(scope, scope, (a, b) => {
        const both = narrow(a, b);
        expect(openRooms(both, joined, none)).toEqual(openRooms(a, joined, none).intersection(openRooms(b, joined, none)));
        for (const capability of CAPABILITIES) expect(allows(both, capability)).toBe(allows(a, capability) && allows(b, capability));
      }),
    );
  });

  it('does not care for order or grouping, and doing it again changes nothing', () => {
    fc.assert(
      fc.property(scope, scope, scope, (a, b, c) => {
        expect(meaning(narrow(a, b))).toEqual(meaning(narrow(b, a)));
        expect(meaning(narrow(narrow(a, b), c))).toEqual(meaning(narrow(a, narrow(b, c))));
        expect(meaning(narrow(a, a))).toEqual(meaning(a));
        expect(meaning(narrow(narrow(a, b), b))).toEqual(meaning(narrow(a, b)));
      }),
    );
  });

  // For rooms the subject is in: a scope that names its rooms opens them whether the subject is in or not
  // (the homeserver decides there), and `all` does not.
  it('never widens, whatever the subject joins later', () => {
    fc.assert(
      fc.property(scope, scope, rooms, fc.uniqueArray(room), (a, b, later, out) => {
        const joinedNow = new Set(later);
        const opened = openRooms(narrow(a, b), later, new Set(out)).intersection(joinedNow);
        expect(opened.isSubsetOf(openRooms(a, later, new Set(out)))).toBe(true);
        expect(opened.isSubsetOf(openRooms(b, later, new Set(out)))).toBe(true);
      }),
    );
  });

  it('is monotone: narrower parts give a narrower whole', () => {
    fc.assert(
      fc.property(scope, scope, scope, (a, b, c) => {
        const less = openRooms(narrow(narrow(a, b), c), joined, none);
        return less.isSubsetOf(openRooms(narrow(a, c), joined, none));
      }),
    );
  });

  it('gives a scope that can be stored and read', () => {
    fc.assert(
      fc.property(scope, scope, (a, b) => {
        const both = narrow(a, b);
        expect(parseScope(JSON.parse(JSON.stringify(both)))).toEqual(both);
      }),
    );
  });
});

describe('the rooms a scope opens', () => {
  it('never hold one that is outside every scope, named or not', () => {
    fc.assert(
      fc.property(scope, rooms, fc.uniqueArray(room), (of, joinedNow, out) =>
        openRooms(of, joinedNow, new Set(out)).isDisjointFrom(new Set(out)),
      ),
    );
  });

  it('are those named, or all that are joined; an empty list is none', () => {
    const opened = (of: Scope['rooms']) => [...openRooms({ v: 1, rooms: of, can: ['read'] }, joined, none)];
    expect(opened('all')).toEqual(joined);
    expect(opened(['!z'] as RoomId[])).toEqual(['!z']);
    expect(opened([])).toEqual([]);
  });
});

describe('a stored scope', () => {
  it.each([
    null,
    undefined,
    'all',
    [],
    {},
    { v: 2, rooms: 'all', can: ['read'] },
    { v: '1', rooms: 'all', can: ['read'] },
    { rooms: 'all', can: ['read'] },
    { v: 1, can: ['read'] },
    { v: 1, rooms: 'all' },
    { v: 1, rooms: 'ALL', can: ['read'] },
    { v: 1, rooms: null, can: ['read'] },
    { v: 1, rooms: ['all'], can: ['read'] },
    { v: 1, rooms: ['!a', 7], can: ['read'] },
    { v: 1, rooms: ['#alias:x'], can: ['read'] },
    { v: 1, rooms: 'all', can: 'read' },
    { v: 1, rooms: 'all', can: ['read', 'admin'] },
    { v: 1, rooms: 'all', can: ['Read'] },
    { v: 1, rooms: 'all', can: ['read'], uses: 3 },
    { v: 1, rooms: 'all', can: ['read'], from: ['10.0.0.0/8'] },
    JSON.parse('{"v":1,"rooms":"all","can":["read"],"__proto__":{"v":1}}'),
  ])('%j is void: a limit that is not understood must not be dropped', (value) => {
    expect(() => parseScope(value)).toThrow(expect.objectContaining({ code: 'state' }));
  });

  it('takes one more key for void, whatever the key and its value', () => {
    fc.assert(
      fc.property(scope, fc.string(), fc.jsonValue(), (of, key, value) => {
        fc.pre(!['v', 'rooms', 'can', '__proto__'].includes(key));
        expect(() => parseScope({ ...of, [key]: value })).toThrow(expect.objectContaining({ code: 'state' }));
      }),
    );
  });

  it('comes back as it was stored', () => {
    fc.assert(
      fc.property(scope, (of) => {
        expect(parseScope(structuredClone(of))).toEqual(of);
      }),
    );
  });
});
