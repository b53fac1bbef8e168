import type { DeviceSummary, EncryptionInfo, IdentitySummary } from '@matrix-org/matrix-sdk-crypto-nodejs';
import { describe, expect, test } from 'vitest';
import { isFromSignedDevice } from '../../src/matrix/decrypt.ts';
import { keepCurrent, toKeys } from '../../src/matrix/keys.ts';

const ALICE = '@alice:x';
const device: DeviceSummary = {
  userId: ALICE,
  deviceId: 'D',
  displayName: undefined,
  ed25519Key: 'ed',
  curve25519Key: 'curve',
  isCrossSignedByOwner: true,
  isDehydrated: false,
  isDeleted: false,
};
const identity: IdentitySummary = {
  userId: ALICE,
  masterKey: 'M',
  isOwn: false,
  isVerified: false,
  needsUserApproval: false,
  hasVerificationViolation: false,
};
const answer = {
  device_keys: { [ALICE]: { D: { keys: { 'ed25519:D': 'ed' } } } },
  master_keys: { [ALICE]: { keys: { 'ed25519:M': 'M' } } },
};

describe('a person’s keys', () => {
  test('as they are', () => {
    expect(toKeys(keepCurrent(answer, ALICE, [device], identity))).toEqual({
      devices: 1,
      signedDevices: 1,
      masterKey: 'M',
      isReplaced: false,
    });
  });

  test('an identity that took the place of the first shows', () => {
    const replaced = keepCurrent(answer, ALICE, [device], { ...identity, needsUserApproval: true });
    expect(toKeys(replaced)).toEqual({ devices: 1, signedDevices: 1, masterKey: 'M', isReplaced: true });
  });

  test.each([
    [
      'the device is gone',
      { ...answer, device_keys: { [ALICE]: {} } },
      { devices: 0, signedDevices: 0, masterKey: 'M' },
    ],
    ['the person is gone', {}, { devices: 0, signedDevices: 0, masterKey: null }],
    [
      'the device has another key now',
      { ...answer, device_keys: { [ALICE]: { D: { keys: { 'ed25519:D': 'other' } } } } },
      { devices: 0, signedDevices: 0, masterKey: 'M' },
    ],
    [
      'the identity is gone',
      { ...answer, master_keys: {} },
      { devices: 1, signedDevices: 0, masterKey: null },
    ],
    [
      'the master key is one the engine did not take',
      { ...answer, master_keys: { [ALICE]: { keys: { 'ed25519:X': 'X' } } } },
      { devices: 1, signedDevices: 0, masterKey: null },
    ],
  ])('what the engine remembers does not outlive the answer: %s', (_name, changed, keys) => {
    expect(toKeys(keepCurrent(changed, ALICE, [device], identity))).toEqual({ ...keys, isReplaced: false });
  });
});

describe('a signed device', () => {
  const info: EncryptionInfo = {
    sender: ALICE,
    senderDevice: 'D',
    senderEd25519Key: 'ed',
    senderCurve25519Key: 'curve',
    trust: 'cross-signed',
    isForwarded: false,
    roomId: '!r',
    sessionId: 's',
    messageIndex: 0,
  };

  test('is one', () => {
    expect(isFromSignedDevice(info, ALICE, [device])).toBe(true);
    expect(isFromSignedDevice({ ...info, trust: 'verified' }, ALICE, [device])).toBe(true);
  });

  test.each([
    ['by the engine’s judgement', { ...info, trust: 'unsigned-device' as const }, [device]],
    ['a key that went through other hands', { ...info, isForwarded: true }, [device]],
    ['another sender', { ...info, sender: '@eve:x' }, [device]],
    ['logged out since', info, []],
    ['deleted', info, [{ ...device, isDeleted: true }]],
    ['no longer signed', info, [{ ...device, isCrossSignedByOwner: false }]],
    ['dehydrated', info, [{ ...device, isDehydrated: true }]],
    ['of another curve key', info, [{ ...device, curve25519Key: 'other' }]],
    ['of another signing key', info, [{ ...device, ed25519Key: 'other' }]],
  ])('is not: %s', (_name, told, devices) => {
    expect(isFromSignedDevice(told, ALICE, devices)).toBe(false);
  });
});
