import { describe, expect, it } from 'vitest';
import {
  permissionCovers,
  sortPermissions,
  parsePermission,
  intersectPermissions,
} from '../../src/domain/permission.ts';
import { CAPABILITIES, CAPABILITY } from '../../src/domain/capability.ts';
import { mayGrantType } from '../../src/domain/delegable.ts';

describe('a capability as granted', () => {
  it.each([
    ['read', 'read'],
    ['send:m.room.message', 'send:m.room.message'],
    ['send:*', 'send'],
    ['state:*:*', 'state'],
    ['state:m.room.topic:*', 'state:m.room.topic'],
    ['state:m.room.topic:', 'state:m.room.topic:'],
    ['state:*:@alice:example.org', 'state:*:@alice:example.org'],
    ['state:m.room.join_rules', 'state:m.room.join_rules'],
    ['account-data:com.example.*', 'account-data:com.example.*'],
  ])('%s has one spelling: %s', (text, spelled) => expect(parsePermission(text)).toBe(spelled));

  it.each([
    '',
    'admin',
    'Read',
    'read:',
    'toString',
    'react:m.reaction',
    'read:m.room.message:x',
    'send:m.*.message',
    'send:a b',
    'send:a\u202eb',
    'send:a,b',
    'send:**',
    'send:m.reaction',
    'send:m.room.redaction',
    'send:m.key.verification.start',
    'send:m.key.verification.*',
    'state:m.room.power_levels',
    'state:m.room.tombstone',
    'state:m.room.member:@x:y',
    'state:m.room.redaction',
    'state:m.reaction:x',
    'state:m.room.message',
    'state:m.key.verification.*',
    'state:m.policy.rule.*',
    'state:uk.half-shot.*',
    'state:com.*',
    'send:com.example.*',
    'send:m.call*',
    'account-data:com.*',
    'account-data:com.example*',
    'account-data:org.matrix.*',
    'account-data:im.vector.web.*',
    'state:m.room.topic:a*b',
    'account-data',
    'account-data:*',
    'account-data:m.ignored_user_list',
    'account-data:m.secret_storage.*',
    'account-data:m.secret_storage.default_key',
    'account-data:org.matrix.msc4155.invite_permission_config',
    'account-data:m.policies',
    'account-data:org.matrix.msc3847.policies',
  ])('%j is none', (text) =>
    expect(() => parsePermission(text)).toThrow(expect.objectContaining({ code: 'usage' })),
  );

  it.each([
    ['send', 'm.room.message', null, true],
    ['send', 'm.reaction', null, false],
    ['send:m.*', 'm.key.verification.start', null, false],
    ['send:m.r*', 'm.room.redaction', null, false],
    ['state', 'm.room.topic', '', true],
    ['state', 'm.room.join_rules', '', false],
    ['state:m.*', 'm.room.join_rules', '', false],
    ['state:m.room.join_rules', 'm.room.join_rules', '', true],
    ['state:*', 'm.room.power_levels', '', false],
    ['state', 'm.room.redaction', 'x', false],
    ['state:m.room.*', 'm.room.message', '', false],
    ['state', 'org.matrix.msc3401.call.member', '@x:y', false],
    ['state:m.room.topic:', 'm.room.topic', 'x', false],
    ['state:m.room.topic:', 'm.room.topic', null, false],
    ['state:com.example.a:@al*', 'com.example.a', '@alice:x', true],
    ['state:com.example.a:@al*', 'com.example.a', '@bob:x', false],
    ['state', 'org.matrix.msc3946.room_predecessor', '', false],
    ['account-data:m.*', 'm.direct', null, false],
    ['account-data:m.*', 'm.policies', null, false],
    ['account-data:m.*', 'm.cross_signing.master', null, false],
    ['account-data:m.*', 'm.something', null, false],
    ['account-data:m.*', 'm.media_preview_config', null, false],
    ['account-data:m.*', 'm.recent_emoji', null, true],
    ['account-data:m.media_preview_config', 'm.media_preview_config', null, true],
    ['account-data:im.*', 'im.vector.web.settings', null, false],
    ['account-data:com.example.*', 'com.example.a', null, true],
    ['account-data:com.example.*', 'com.example', null, false],
    ['account-data:com.famedly.*', 'com.famedly.marked_unread', null, false],
    ['state', 'uk.half-shot.matrix-hookshot.generic.hook', 'x', false],
    ['state', 'm.bridge', 'x', false],
    ['state:m.*', 'm.bridge', 'x', false],
    ['state:*:x', 'm.bridge', 'x', false],
    ['state:*:x', 'm.room.topic', 'x', true],
    ['state:m.bridge', 'm.bridge', 'x', true],
    ['send', 'com.example.command', null, false],
    ['send', 'm.poll.start', null, true],
    ['send:org.matrix.msc3381.*', 'org.matrix.msc3381.poll.end', null, true],
    ['send:org.matrix.*', 'org.matrix.msc3401.call.member', null, false],
    ['send:com.example.command', 'com.example.command', null, true],
  ] as const)('%s for %s with the key %j: %s', (text, type, key, means) => {
    const permission = parsePermission(text);
    expect(permissionCovers(permission, permission.split(':')[0] as never, type, key)).toBe(means);
  });

  it('has types and keys as long as ids are, and no longer', () => {
    const long = 'x'.repeat(255);
    expect(parsePermission(`send:${long}`)).toBe(`send:${long}`);
    expect(parsePermission(`state:m.x:${long}`)).toBe(`state:m.x:${long}`);
    for (const text of [`send:${long}x`, `state:m.x:${long}x`, 'state:m.x:a\u202eb', `state:m.x:${long}*`])
      expect(() => parsePermission(text)).toThrow(expect.objectContaining({ code: 'usage' }));
  });

  it.each([
    ['send:m.reaction', /`react`/],
    ['send:m.room.redaction', /`redact`/],
    ['send:m.room.create', /^Leave it out/],
    ['state:m.reaction', /^Leave it out/],
    ['state:m.room.redaction', /^Leave it out/],
  ])('%s: the hint names what is meant', (text, hint) =>
    expect(() => parsePermission(text)).toThrow(
      expect.objectContaining({ hint: expect.stringMatching(hint) }),
    ),
  );

  it('shows no more of what was typed than fits', () => {
    for (const text of ['y'.repeat(500), `send:${'y y'.repeat(500)}`, `state:m.x:*${'y'.repeat(500)}`])
      expect(() => parsePermission(text)).toThrow(
        expect.objectContaining({ message: expect.stringMatching(/^.{10,120}$/) }),
      );
  });

  it.each([
    [['state:m.room.topic:a*'], ['state:m.*:ab*'], ['state:m.room.topic:ab*']],
    [['state:*:ab*'], ['state:m.room.topic'], ['state:m.room.topic:ab*']],
    [['state:m.room.topic:a*'], ['state:m.room.topic:b*'], []],
    [['state:m.room.topic'], ['send:m.room.topic'], []],
    [['read'], ['media'], ['media']],
    [['read:m.room.message'], ['media'], []],
    [['send'], ['send:m.room.message'], ['send:m.room.message']],
  ] as const)('%j and %j share %j', (a, b, shared) => {
    expect(intersectPermissions(a, b)).toEqual(shared);
    expect(intersectPermissions(b, a)).toEqual(shared);
  });

  it('is told in the order of the set', () => {
    expect(sortPermissions(['upload', 'send:m.b', 'send:m.a', 'read'])).toEqual([
      'read',
      'send:m.a',
      'send:m.b',
      'upload',
    ]);
  });
});

describe('the set', () => {
  it('says of each what it is, and needs nothing that is not in it', () => {
    expect(Object.keys(CAPABILITY)).toEqual([...CAPABILITIES]);
    for (const { verb, allows, needs } of Object.values(CAPABILITY)) {
      expect(verb.length * allows.length).toBeGreaterThan(0);
      for (const needed of needs) expect(CAPABILITIES).toContain(needed);
    }
  });

  it('never delegates what blinds the subject or outlives the token', () => {
    for (const type of [
      'm.ignored_user_list',
      'm.direct',
      'm.push_rules',
      'm.megolm_backup.v1',
      'm.identity_server',
      'm.accepted_terms',
    ])
      expect([type, mayGrantType('account-data', type)]).toEqual([type, 'never']);
    for (const type of [
      'm.room.server_acl',
      'm.room.encryption',
      'm.room.guest_access',
      'm.room.history_visibility',
      'm.widget',
      'm.room.canonical_alias',
      'm.call.member',
    ])
      expect([type, mayGrantType('state', type)]).toEqual([type, 'by-name']);
  });

  it('means what clients act on by its name alone, not by `send` or a wildcard', () => {
    for (const type of ['m.room.encrypted', 'm.call.invite', 'm.room.topic', 'm.secret.send', 'm.room_key'])
      expect([type, mayGrantType('send', type)]).toEqual([type, 'by-name']);
    expect(permissionCovers('send', 'send', 'm.room.encrypted', null)).toBe(false);
    expect(permissionCovers('send:m.room.*', 'send', 'm.room.encrypted', null)).toBe(false);
    expect(permissionCovers('send:m.room.encrypted', 'send', 'm.room.encrypted', null)).toBe(true);
    expect(intersectPermissions(['send'], ['send:m.room.encrypted'])).toEqual([]);
    expect(() => parsePermission('send:m.call.*')).toThrow(/by name alone/);
  });
});
