import { expect, test } from 'vitest';
import { nextStep } from '../../src/matrix/cross-signing.ts';

const signed = { localMasterKey: 'K', serverMasterKey: 'K', hasSeeds: true, deviceSigned: true };

test.each([
  ['all is well', signed, 'nothing'],
  [
    'the first start',
    { localMasterKey: null, serverMasterKey: null, hasSeeds: false, deviceSigned: false },
    'make',
  ],
  [
    'seeds that never reached the homeserver',
    { localMasterKey: null, serverMasterKey: null, hasSeeds: true, deviceSigned: false },
    'make',
  ],
  ['an interrupted upload', { ...signed, serverMasterKey: null, deviceSigned: false }, 'upload'],
  ['an interrupted signature', { ...signed, deviceSigned: false }, 'sign'],
  [
    'a lost store',
    { localMasterKey: null, serverMasterKey: 'K', hasSeeds: true, deviceSigned: false },
    'import',
  ],
  [
    'a lost store and no seeds',
    { localMasterKey: null, serverMasterKey: 'K', hasSeeds: false, deviceSigned: false },
    'refuse-lost',
  ],
  ['keys replaced at the homeserver', { ...signed, serverMasterKey: 'X' }, 'refuse-foreign'],
  [
    'keys replaced, the device signed by them',
    { ...signed, serverMasterKey: 'X', deviceSigned: true },
    'refuse-foreign',
  ],
] as const)('%s: %s → %s', (_name, standing, step) => {
  expect(nextStep(standing)).toBe(step);
});
