import { describe, expect, it } from 'vitest';
import { globMatches } from '../../src/domain/glob.ts';
import type { UserId } from '../../src/domain/ids.ts';
import { invitePermission } from '../../src/domain/invite-permission.ts';

const BOT = '@mintwarden:example.org' as UserId;
const STABLE = 'm.invite_permission_config';
const LISTS = 'org.matrix.msc4155.invite_permission_config';

describe('what settings make of an invitation', () => {
  it.each<[string, Record<string, unknown>, string]>([
    ['nothing set', {}, 'allow'],
    ['blocked', { [STABLE]: { default_action: 'block' } }, 'block'],
    ['allowed', { [STABLE]: { default_action: 'allow' } }, 'allow'],
    ['an action nobody knows', { [STABLE]: { default_action: 'toast' } }, 'allow'],
    ['no action', { [STABLE]: {} }, 'allow'],
    ['no object', { [STABLE]: ['block'] }, 'allow'],
    ['the stable setting before lists', { [STABLE]: {}, [LISTS]: { blocked_servers: ['*'] } }, 'allow'],
    ['its user blocked', { [LISTS]: { blocked_users: [BOT] } }, 'block'],
    ['its user ignored', { [LISTS]: { ignored_users: ['@mint*:example.org'] } }, 'ignore'],
    ['ignored before blocked', { [LISTS]: { blocked_users: [BOT], ignored_users: [BOT] } }, 'ignore'],
    [
      'allowed before both',
      { [LISTS]: { blocked_users: ['*'], ignored_users: ['*'], allowed_users: [BOT] } },
      'allow',
    ],
    ['its server blocked', { [LISTS]: { blocked_servers: ['example.org'] } }, 'block'],
    ['its server ignored', { [LISTS]: { ignored_servers: ['*.org'] } }, 'ignore'],
    ['users before servers', { [LISTS]: { allowed_users: [BOT], blocked_servers: ['*'] } }, 'allow'],
    ['blocked, its server allowed', { [LISTS]: { blocked_users: [BOT], allowed_servers: ['*'] } }, 'block'],
    [
      'its server allowed',
      { [LISTS]: { blocked_servers: ['*'], allowed_servers: ['example.org'] } },
      'allow',
    ],
    [
      'others blocked',
      { [LISTS]: { blocked_users: ['@eve:example.org'], blocked_servers: ['evil.org'] } },
      'allow',
    ],
    ['case does not count', { [LISTS]: { blocked_users: ['@MINTWARDEN:example.org'] } }, 'block'],
    ['not lists', { [LISTS]: { blocked_users: BOT, blocked_servers: [7, '', null] } }, 'allow'],
    ['longer than an id', { [LISTS]: { blocked_users: ['*'.repeat(256)] } }, 'allow'],
    ['as long as an id', { [LISTS]: { blocked_users: ['*'.repeat(255)] } }, 'block'],
  ])('%s', (_, data, permission) => expect(invitePermission(data, BOT)).toBe(permission));
});

describe('a glob', () => {
  it.each([
    ['', '', true],
    ['', 'a', false],
    ['*', '', true],
    ['a*', 'a', true],
    ['*a', 'ba', true],
    ['*a', 'ab', false],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['?', '\u{1f600}', true],
    ['a*b*c', 'a-b-b-c', true],
    ['a*b*c', 'a-c-b', false],
    ['**', 'x', true],
    ['a.c', 'abc', false],
    ['(a', '(a', true],
  ])('%s against %s', (glob, text, matches) => expect(globMatches(glob, text)).toBe(matches));

  it('costs little, whatever somebody wrote into it', () => {
    const begun = performance.now();
    for (let round = 0; round < 100; round++) globMatches(`${'*a'.repeat(127)}b`, 'a'.repeat(255));
    expect(performance.now() - begun).toBeLessThan(1_000);
  });
});
