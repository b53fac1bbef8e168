import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Permission } from '../../src/domain/permission.ts';
import { CAPABILITIES } from '../../src/domain/capability.ts';
import type { Enforcement } from '../../src/domain/enforced.ts';
import type { RoomId, UserId } from '../../src/domain/ids.ts';
import type { PowerAction, RoomPower } from '../../src/domain/power.ts';
import {
  addressAllowed,
  powerAllows,
  ruleVerdict,
  typeAllowed,
  usesLeft,
} from '../../src/domain/scope-checks.ts';
import { allows, canonical, narrow, openRooms, roomMatches, type Scope } from '../../src/domain/scope.ts';
import { parseScope } from '../../src/domain/stored-scope.ts';
import {
  ADDRESSES,
  CREATORS,
  EVERYTHING,
  KEYS,
  plain,
  REQUESTS,
  room,
  ROOMS,
  rooms,
  scope,
  TYPES,
} from './support/scopes.ts';

const none: ReadonlySet<RoomId> = new Set();
const ALICE = '@alice:x' as UserId;
const made = new Map(ROOMS.map((roomId, index) => [roomId, CREATORS[index] as UserId]));

const POWERS: readonly RoomPower[] = [
  { levels: { users: { [ALICE]: 100 }, events: { 'm.room.topic': 75 } }, creators: [], madeBy: null },
  { levels: { users_default: 50, ban: '60' }, creators: [ALICE], madeBy: ALICE },
  { levels: null, creators: [], madeBy: ALICE },
];
const DEEDS: readonly PowerAction[] = [
  { kind: 'send', type: 'm.room.message', isState: false },
  { kind: 'send', type: 'm.room.topic', isState: true },
  { kind: 'invite' },
  { kind: 'redact-others' },
  { kind: 'ban', target: '@bob:x' as UserId },
  { kind: 'unban', target: '@bob:x' as UserId },
];

/** Every question a gateway asks of a scope, with its answer. */
function answers(of: Scope): Map<string, boolean> {
  const all = new Map<string, boolean>();
  for (const roomId of ROOMS) {
    for (const creator of [...CREATORS, null])
      all.set(`room ${roomId} ${creator}`, roomMatches(of, { roomId, creator }));
  }
  for (const capability of CAPABILITIES) {
    all.set(`can ${capability}`, allows(of, capability));
    for (const type of TYPES)
      for (const key of KEYS) all.set(`${capability} ${type} ${key}`, typeAllowed(of, capability, type, key));
  }
  for (const address of ADDRESSES) all.set(`from ${address}`, addressAllowed(of, address));
  for (const [method, path] of REQUESTS)
    all.set(`${method} ${path}`, ruleVerdict(of, method, path, []) === 'allow');
  for (const [at, power] of POWERS.entries()) {
    for (const deed of DEEDS)
      all.set(`power ${at} ${JSON.stringify(deed)}`, powerAllows(of, ALICE, power, deed));
  }
  for (let used = 0; used < 6; used++) all.set(`use ${used}`, usesLeft(of, used) > 0);
  all.set('follows upgrades', of.followUpgrades === true);
  return all;
}

describe('narrow', () => {
  it('is the intersection: it allows what both allow, whatever is asked', () => {
    fc.assert(
      fc.property(scope, scope, (a, b) => {
        const [ofA, ofB, ofBoth] = [answers(a), answers(b), answers(narrow(a, b))];
        // Two scopes may hold one capability for types that have nothing in common: then neither is left.
        const wrong = [...ofBoth].filter(([question, yes]) => {
          const both = ofA.get(question) === true && ofB.get(question) === true;
          return question.startsWith('can ') ? yes && !both : yes !== both;
        });
        expect(wrong).toEqual([]);
      }),
    );
  });

  it('does not care for order or grouping, and doing it again changes nothing, to the letter', () => {
    fc.assert(
      fc.property(scope, scope, scope, (a, b, c) => {
        expect(JSON.stringify(narrow(a, b))).toBe(JSON.stringify(narrow(b, a)));
        expect(JSON.stringify(narrow(narrow(a, b), c))).toBe(JSON.stringify(narrow(a, narrow(b, c))));
        expect(JSON.stringify(narrow(a, a))).toBe(JSON.stringify(canonical(a)));
        expect(JSON.stringify(narrow(narrow(a, b), b))).toBe(JSON.stringify(narrow(a, b)));
      }),
    );
  });

  // For rooms the subject is in: a scope that names its rooms opens them whether the subject is in or not
  // (the homeserver decides there), and `all` does not.
  it('never widens, whatever the subject joins later', () => {
    fc.assert(
      fc.property(scope, scope, rooms, fc.uniqueArray(room), (a, b, later, out) => {
        const joinedNow = new Set(later);
        const opened = openRooms(narrow(a, b), later, new Set(out), made).intersection(joinedNow);
        expect(opened.isSubsetOf(openRooms(a, later, new Set(out), made))).toBe(true);
        expect(opened.isSubsetOf(openRooms(b, later, new Set(out), made))).toBe(true);
      }),
    );
  });

  it('gives a scope that can be stored and read', () => {
    fc.assert(
      fc.property(scope, scope, (a, b) => {
        const both = narrow(a, b);
        expect(parseScope(JSON.parse(JSON.stringify(both)), EVERYTHING)).toEqual(both);
      }),
    );
  });
});

it.each([
  ['state', 'state:m.room.join_rules', []],
  ['state:m.*', 'state:m.room.join_rules', []],
  ['state:m.room.*', 'state:m.*', ['state:m.room.*']],
  ['state:com.example.*:@alice:x', 'state:com.*:@*', ['state:com.example.*:@alice:x']],
  ['state:com.example.*', 'state:com.*:@*', ['state:com.example.*:@*']],
  ['send:m.room.message', 'send:m.sticker', []],
  ['send', 'react', []],
  ['read', 'media', ['media']],
  ['read:m.room.message', 'media', []],
] as const)('%s and %s share %j: a wildcard never means what has to be named', (a, b, left) => {
  const of = (permission: Permission): Scope => ({ v: 1, rooms: 'all', can: [permission] });
  expect(narrow(of(a), of(b)).can).toEqual(left);
  expect(narrow(of(b), of(a)).can).toEqual(left);
});

describe('the one form of a scope', () => {
  it('means the same, and is its own', () => {
    fc.assert(
      fc.property(scope, (of) => {
        const one = canonical(of);
        expect(answers(one)).toEqual(answers(of));
        expect(canonical(one)).toEqual(one);
      }),
    );
  });

  it('is the same for what is said twice, or in another order', () => {
    const can = ['send:m.room.message', 'read', 'media', 'send:m.room.*', 'read'] as const;
    expect(
      canonical({
        v: 1,
        rooms: ['!b', '!a', '!b'] as RoomId[],
        can,
        types: ['*'],
        from: ['10.1.0.0/16', '10.0.0.0/8'],
      }),
    ).toEqual({
      v: 1,
      rooms: ['!a', '!b'],
      can: ['read', 'send:m.room.*'],
      from: ['10.0.0.0/8'],
    });
  });
});

describe('the rooms a scope opens', () => {
  it('never hold one that is outside every scope, named or not', () => {
    fc.assert(
      fc.property(scope, rooms, fc.uniqueArray(room), (of, joinedNow, out) =>
        openRooms(of, joinedNow, new Set(out), made).isDisjointFrom(new Set(out)),
      ),
    );
  });

  it('are those named, or all that are joined; an empty list is none', () => {
    const opened = (of: Scope['rooms']) => [...openRooms({ v: 1, rooms: of, can: ['read'] }, ROOMS, none)];
    expect(opened('all')).toEqual(ROOMS);
    expect(opened(['!z'] as RoomId[])).toEqual(['!z']);
    expect(opened([])).toEqual([]);
  });

  it('by creator are none whose creator is not known: who forgets to look opens nothing', () => {
    const of: Scope = { v: 1, rooms: 'all', can: ['read'], by: ['@whatsapp_*:x'] };
    expect([...openRooms(of, ROOMS, none)]).toEqual([]);
    expect([...openRooms(of, ROOMS, none, made)]).toEqual(['!b', '!c']);
  });
});

describe('a stored scope', () => {
  const whole = { v: 1, rooms: 'all', can: ['read'] };
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
    { ...whole, can: ['send:'] },
    { ...whole, can: ['send:*'] },
    { ...whole, can: ['send:m.room.redaction'] },
    { ...whole, can: ['state:m.room.power_levels'] },
    { ...whole, can: ['account-data'] },
    { ...whole, can: ['account-data:m.direct'] },
    { ...whole, by: ['@x_*'] },
    { ...whole, by: ['@*:x'] },
    { ...whole, by: ['alice:x'] },
    { ...whole, types: ['m.*.message'] },
    { ...whole, types: [''] },
    { ...whole, power: 1.5 },
    { ...whole, power: null },
    { ...whole, power: '50' },
    { ...whole, rules: [] },
    { ...whole, rules: [[]] },
    { ...whole, rules: [[{ verdict: 'allow', on: 'get /x' }]] },
    { ...whole, rules: [[{ verdict: 'maybe', on: 'GET /x' }]] },
    { ...whole, rules: [[{ verdict: 'deny', on: 'GET /x', unless: 'GET /x/y' }]] },
    { ...whole, from: ['10.0.0.0/33'] },
    { ...whole, from: ['10.0.0.1/8'] },
    { ...whole, from: ['010.0.0.1/32'] },
    { ...whole, uses: 0 },
    { ...whole, uses: -1 },
    { ...whole, uses: 2.5 },
    { ...whole, followUpgrades: false },
    { ...whole, types: undefined },
    { ...whole, unknown: undefined },
    JSON.parse('{"v":1,"rooms":"all","can":["read"],"__proto__":{"v":1}}'),
  ])('%j is void: a limit that is not understood must not be dropped', (value) => {
    expect(() => parseScope(value, EVERYTHING)).toThrow(expect.objectContaining({ code: 'state' }));
  });

  it('takes one more key for void, whatever the key and its value', () => {
    const known = [
      'v',
      'rooms',
      'can',
      'by',
      'types',
      'power',
      'rules',
      'from',
      'uses',
      'followUpgrades',
      '__proto__',
    ];
    fc.assert(
      fc.property(plain, fc.string(), fc.jsonValue(), (of, key, value) => {
        fc.pre(!known.includes(key));
        expect(() => parseScope({ ...of, [key]: value }, EVERYTHING)).toThrow(
          expect.objectContaining({ code: 'state' }),
        );
      }),
    );
  });

  it('comes back as it was stored', () => {
    fc.assert(
      fc.property(scope, (of) => {
        expect(parseScope(structuredClone(of), EVERYTHING)).toEqual(of);
      }),
    );
  });

  it('is void where it has more in it than the gateway enforces, whatever it is', () => {
    const nothing: Enforcement = { capabilities: ['read'], typed: [], features: [] };
    fc.assert(
      fc.property(scope, (of) => {
        const isPlain = Object.keys(of).length === 3 && of.can.every((permission) => permission === 'read');
        const read = () => parseScope(structuredClone(of), nothing);
        if (isPlain) expect(read()).toEqual(of);
        else expect(read).toThrow(expect.objectContaining({ code: 'state' }));
      }),
    );
  });
});
