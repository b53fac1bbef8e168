import { expect, test } from 'vitest';
import { isSafeToKeep } from '../../src/app/command-line/prompt-history.ts';

test.each([
  'mwt_7F3K9Q_abcdefghijklmnop',
  'syt_YWxpY2U_abcdefghijklm_0abcDE',
  'syr_YWxpY2U_abcdefghijklm_0abcDE',
  'syl_abcdefghijklm_0abcDE',
  'mat_abcdefghijklmnop_0abcDE',
  'mar_abcdefghijklmnop_0abcDE',
  'mct_abcdefghijklmnop_0abcDE',
  'mcr_abcdefghijklmnop_0abcDE',
  'mpt_abcdefghijklmnop_0abcDE',
  'MDAxYWJjZGVmZ2hpamtsbW5vcA',
])('whoever types or pastes a credential by mistake finds it in no history: %s', (secret) => {
  expect(isSafeToKeep(secret)).toBe(false);
  expect(isSafeToKeep(`mint @alice --rooms !ops:x.org --reason "${secret}"`)).toBe(false);
});

test('commands are kept', () => {
  expect(
    isSafeToKeep(
      'mint @alice:example.org --rooms !_dDn1kut5YSer-wBSxyzxyzxyzxyzxyzxyzxyzxyzxyz --ttl 1h --to @bob',
    ),
  ).toBe(true);
});
