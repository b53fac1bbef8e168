import { expect, it } from 'vitest';
import { ENFORCED, needsDevice, unenforced } from '../../src/domain/enforced.ts';
import type { Scope } from '../../src/domain/scope.ts';
import { EVERYTHING } from './support/scopes.ts';

const whole: Scope = { v: 1, rooms: 'all', can: ['read'] };

it('reading is enforced, and nothing is found missing in it', () =>
  expect(unenforced(whole, ENFORCED)).toEqual([]));

it('finds each part that is not enforced, an empty or idle one too', () => {
  const nothing = { capabilities: ['read', 'send'], typed: ['send'], features: [] } as const;
  const scope: Scope = {
    ...whole,
    can: ['read:m.x', 'send:m.x', 'state'],
    by: [],
    types: [],
    power: 100,
    from: ['0.0.0.0/0'],
    uses: 1,
  };
  expect(unenforced({ ...scope, rules: [], followUpgrades: true }, nothing)).toEqual([
    { kind: 'typed', permission: 'read:m.x' },
    { kind: 'capability', permission: 'state' },
    ...['by', 'types', 'power', 'from', 'uses', 'rules', 'followUpgrades'].map((feature) => ({
      kind: 'feature',
      feature,
    })),
  ]);
  expect(unenforced({ ...scope, rules: [], followUpgrades: true }, EVERYTHING)).toEqual([]);
});

it('knows what wants a device', () =>
  expect(needsDevice({ ...whole, can: ['read', 'keys', 'to-device'] })).toEqual(['keys', 'to-device']));
