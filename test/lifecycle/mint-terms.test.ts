import { describe, expect, it } from 'vitest';
import { type Permission, parsePermission } from '../../src/domain/permission.ts';
import { ENFORCED } from '../../src/domain/enforced.ts';
import type { ScopeLimits } from '../../src/domain/scope.ts';
import { parseScope } from '../../src/domain/stored-scope.ts';
import { mintTerms } from '../../src/lifecycle/mint/mint-terms.ts';
import { EVERYTHING } from '../domain/support/scopes.ts';

const can = (...texts: string[]): readonly Permission[] => texts.map(parsePermission);
const terms = (
  some: readonly Permission[],
  limits: ScopeLimits = {},
  enforced: typeof ENFORCED | null = EVERYTHING,
) => mintTerms({ can: some, limits, rooms: 'all' }, enforced);

describe('the terms of a mint', () => {
  it('are read, and nothing else, unless said', () =>
    expect(mintTerms({ rooms: 'all', limits: {} }, ENFORCED)).toEqual({ v: 1, can: ['read'] }));

  it.each<[string, readonly Permission[], ScopeLimits, RegExp]>([
    ['a capability without what it needs', can('read', 'edit'), {}, /edit does nothing without send/],
    ['no capability', [], {}, /could do nothing/],
    ['nothing left of a limit', can('read'), { from: [] }, /Nothing is left of --from/],
    ['types where nothing is sent', can('read'), { types: ['m.room.message'] }, /nothing here sends/],
    [
      'types that take reactions away',
      can('send', 'react'),
      { types: ['m.room.message'] },
      /react sends m\.reaction/,
    ],
    [
      'types that are not granted',
      can('send:m.sticker'),
      { types: ['m.room.message'] },
      /which --can does not grant/,
    ],
    ['a device', can('read', 'to-device'), {}, /wants a token with a device/],
    [
      'upgrades of rooms that nobody named',
      can('read'),
      { followUpgrades: true },
      /for rooms that are named/,
    ],
  ])('cannot be: %s', (_, some, limits, sentence) =>
    expect(() => terms(some, limits)).toThrow(
      expect.objectContaining({ code: 'usage', message: expect.stringMatching(sentence) as string }),
    ),
  );

  it.each<[string, readonly Permission[], ScopeLimits]>([
    ['--can send', can('read', 'send'), {}],
    ['--can read:m.room.message', can('read:m.room.message'), {}],
    ['--power', can('read'), { power: 0 }],
    ['--rooms-by', can('read'), { by: ['@bot:x'] }],
    ['--allow or --deny', can('read'), { rules: [[{ verdict: 'deny', on: 'GET /x' }]] }],
    ['--from', can('read'), { from: ['10.0.0.0/8'] }],
    ['--uses', can('read'), { uses: 1 }],
  ])(
    'are refused while no gateway enforces %s, shown in a preview, and void if they were stored',
    (flag, some, limits) => {
      const none = { capabilities: ['read'], typed: [], features: [] } as const;
      const expected = expect.objectContaining({
        message: `${flag} is not enforced by this version's gateway, so it is not granted.`,
      });
      expect(() => terms(some, limits, none)).toThrow(expected);
      const shown = terms(some, limits, null);
      expect(shown).toEqual(terms(some, limits, EVERYTHING));
      expect(() => parseScope({ ...shown, rooms: 'all' }, none)).toThrow(
        expect.objectContaining({ code: 'state' }),
      );
    },
  );

  it('are refused all at once, in one sentence', () => {
    expect(() =>
      terms(can('read', 'send'), { power: 0, uses: 3 }, { capabilities: ['read'], typed: [], features: [] }),
    ).toThrow(
      "--can send, --power and --uses are not enforced by this version's gateway, so they are not granted.",
    );
  });
});
