import { describe, expect, it } from 'vitest';
import type { Capability } from '../../src/domain/capability.ts';
import type { UserId } from '../../src/domain/ids.ts';
import { parseNetwork } from '../../src/domain/network.ts';
import type { Permission } from '../../src/domain/permission.ts';
import type { Scope } from '../../src/domain/scope.ts';
import {
  addressAllowed,
  lacking,
  powerAllows,
  ruleVerdict,
  typeAllowed,
  usesLeft,
  writes,
} from '../../src/domain/scope-checks.ts';

const ALICE = '@alice:example.org' as UserId;
const scope = (can: readonly Permission[], more: Partial<Scope> = {}): Scope => ({
  v: 1,
  rooms: 'all',
  can,
  ...more,
});

describe('what a scope lets through', () => {
  it.each<[readonly Permission[], Partial<Scope>, Capability, string, string | null, boolean]>([
    [['send'], {}, 'send', 'm.room.message', null, true],
    [['send:m.sticker'], {}, 'send', 'm.room.message', null, false],
    [['read'], {}, 'send', 'm.room.message', null, false],
    [['send'], { types: ['m.room.*'] }, 'send', 'm.room.message', null, true],
    [['send'], { types: ['m.sticker'] }, 'send', 'm.room.message', null, false],
    [['send'], { types: [] }, 'send', 'm.room.message', null, false],
    [['state'], { types: ['m.room.name'] }, 'state', 'm.room.topic', '', false],
    [['state'], { types: ['m.room.topic'] }, 'state', 'm.room.topic', '', true],
    [['react'], { types: ['m.room.message'] }, 'react', 'm.reaction', null, false],
    [['react'], { types: ['m.reaction'] }, 'react', 'm.reaction', null, true],
    // An edit, and a message in the clear, are sent as well.
    [['send', 'edit'], {}, 'edit', 'm.room.message', null, true],
    [['edit'], {}, 'edit', 'm.room.message', null, false],
    [['send:m.sticker', 'edit'], {}, 'edit', 'm.room.message', null, false],
    [['send', 'edit'], { types: ['m.sticker'] }, 'edit', 'm.room.message', null, false],
    [['send', 'plaintext'], {}, 'plaintext', 'm.room.message', null, true],
    [['plaintext'], {}, 'plaintext', 'm.room.message', null, false],
    [['send', 'plaintext'], { types: ['m.sticker'] }, 'plaintext', 'm.room.message', null, false],
    // What puts nothing into a room is not narrowed by what may be put there.
    [['read'], { types: ['m.sticker'] }, 'read', 'm.room.message', null, true],
    [['account-data:com.example.x'], { types: ['m.sticker'] }, 'account-data', 'com.example.x', null, true],
  ])('%j %j: %s of %s (%j) is %s', (can, more, capability, type, key, may) =>
    expect(typeAllowed(scope(can, more), capability, type, key)).toBe(may),
  );

  it('narrows each way of putting an event into a room by types', () => {
    for (const [capability, can] of [
      ['send', ['send']],
      ['state', ['state']],
      ['edit', ['send', 'edit']],
      ['plaintext', ['send', 'plaintext']],
      ['react', ['react']],
    ] as const) {
      const type =
        capability === 'react' ? 'm.reaction' : capability === 'state' ? 'm.room.topic' : 'm.room.message';
      expect([capability, typeAllowed(scope(can), capability, type, '')]).toEqual([capability, true]);
      const narrowed = scope(can, { types: ['com.example.*'] });
      expect([capability, typeAllowed(narrowed, capability, type, '')]).toEqual([capability, false]);
    }
    // Each by itself, not only by what it needs.
    const sends = scope(['send', 'edit', 'plaintext'], { types: ['m.sticker'] });
    for (const capability of ['send', 'edit', 'plaintext'] as const) {
      expect(typeAllowed(sends, capability, 'm.sticker')).toBe(true);
      expect(typeAllowed(sends, capability, 'm.room.message')).toBe(false);
    }
  });

  it('by where a request comes from', () => {
    const from = ['192.0.2.0/24', '2001:db8::/32'].map(parseNetwork);
    expect(addressAllowed(scope([]), 'anything')).toBe(true);
    expect(addressAllowed(scope([], { from: [] }), '192.0.2.1')).toBe(false);
    for (const [address, may] of [
      ['192.0.2.7', true],
      ['2001:db8::7', true],
      ['192.0.3.7', false],
      ['nothing', false],
    ] as const)
      expect([address, addressAllowed(scope([], { from }), address)]).toEqual([address, may]);
  });

  it('by every list of rules', () => {
    const deny = [{ verdict: 'deny', on: 'GET /a' }] as const;
    const allow = [{ verdict: 'allow', on: 'GET /b' }] as const;
    expect(ruleVerdict(scope([]), 'GET', '/a', [])).toBe('allow');
    expect(ruleVerdict(scope([], { rules: [deny] }), 'GET', '/a', [])).toBe('deny');
    expect(ruleVerdict(scope([], { rules: [deny] }), 'GET', '/b', [])).toBe('allow');
    expect(ruleVerdict(scope([], { rules: [deny, allow] }), 'GET', '/b', [])).toBe('allow');
    expect(
      ruleVerdict(scope([], { rules: [allow, [{ verdict: 'deny', on: '* /b' }]] }), 'GET', '/b', []),
    ).toBe('deny');
    expect(ruleVerdict(scope([], { rules: [deny] }), 'GET', '/b', [{ method: 'GET', path: '/a' }])).toBe(
      'deny',
    );
  });

  it('by power, where there is a ceiling', () => {
    const room = { levels: { users: { [ALICE]: 100 }, state_default: 50 }, creators: [], madeBy: null };
    const action = { kind: 'send', type: 'm.room.topic', isState: true } as const;
    expect(powerAllows(scope([]), ALICE, { ...room, levels: { state_default: 101 } }, action)).toBe(true);
    expect(powerAllows(scope([], { power: 49 }), ALICE, room, action)).toBe(false);
    expect(powerAllows(scope([], { power: 50 }), ALICE, room, action)).toBe(true);
  });

  it('by what is left of its uses', () => {
    expect(usesLeft(scope([]), 1e9)).toBe(Number.POSITIVE_INFINITY);
    expect([0, 2, 3, 4].map((used) => usesLeft(scope([], { uses: 3 }), used))).toEqual([3, 1, 0, 0]);
  });
});

describe('what a scope comes to', () => {
  it('writes if anything in it does', () => {
    expect(writes(scope(['read', 'media']))).toBe(false);
    expect(writes(scope(['read', 'send:m.sticker']))).toBe(true);
    expect(writes(scope([]))).toBe(false);
  });
  it('lacks what a capability needs, each once', () => {
    expect(lacking(scope(['send', 'edit']))).toEqual([]);
    expect(lacking(scope(['read', 'edit', 'plaintext']))).toEqual([
      { capability: 'edit', needs: 'send' },
      { capability: 'plaintext', needs: 'send' },
    ]);
    expect(lacking(scope(['send:m.a', 'send:m.b', 'keys']))).toEqual([
      { capability: 'keys', needs: 'to-device' },
    ]);
  });
});
