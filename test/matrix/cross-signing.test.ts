import { expect, test } from 'vitest';
import { nextStep } from '../../src/matrix/cross-signing.ts';

const signed = { ours: 'K', servers: 'K', hasSeeds: true, deviceSigned: true };

test.each([
  ['all is well', signed, 'nothing'],
  ['the first start', { ours: null, servers: null, hasSeeds: false, deviceSigned: false }, 'make'],
  [
    'seeds that never reached the homeserver',
    { ours: null, servers: null, hasSeeds: true, deviceSigned: false },
    'make',
  ],
  ['an interrupted upload', { ...signed, servers: null, deviceSigned: false }, 'upload'],
  ['an interrupted signature', { ...signed, deviceSigned: false }, 'sign'],
  ['a lost store', { ours: null, servers: 'K', hasSeeds: true, deviceSigned: false }, 'import'],
  [
    'a lost store and no seeds',
    { ours: null, servers: 'K', hasSeeds: false, deviceSigned: false },
    'refuse-lost',
  ],
  ['keys replaced at the homeserver', { ...signed, servers: 'X' }, 'refuse-foreign'],
  [
    'keys replaced, the device signed by them',
    { ...signed, servers: 'X', deviceSigned: true },
    'refuse-foreign',
  ],
] as const)('%s: %s → %s', (_name, standing, step) => {
  expect(nextStep(standing)).toBe(step);
});
