import fc from 'fast-check';
import { type Permission, parsePermission } from '../../../src/domain/permission.ts';
import { CAPABILITIES, CAPABILITY } from '../../../src/domain/capability.ts';
import type { CreatorPattern } from '../../../src/domain/creator.ts';
import type { EndpointRule } from '../../../src/domain/endpoint-rule.ts';
import type { Enforcement } from '../../../src/domain/enforced.ts';
import type { RoomId, UserId } from '../../../src/domain/ids.ts';
import { canonical, type Scope } from '../../../src/domain/scope.ts';

/** A gateway that enforces all there is. */
export const EVERYTHING: Enforcement = {
  capabilities: CAPABILITIES,
  typed: CAPABILITIES,
  features: ['by', 'types', 'power', 'rules', 'from', 'uses', 'followUpgrades'],
};

export const ROOMS = ['!a', '!b', '!c', '!d', '!e'] as RoomId[];
export const TYPES = [
  'm.room.message',
  'm.room.topic',
  'm.room.join_rules',
  'm.room.power_levels',
  'm.reaction',
  'm.room.redaction',
  'm.sticker',
  'com.example.a',
  'com.example.b',
  'm.direct',
  'm.secret_storage.key.x',
  'm.policy.rule.user',
  'm.key.verification.start',
];
export const KEYS = [null, '', '@alice:x', '@bob:x', 'other'];
export const CREATORS = [
  '@whatsappbot:x',
  '@whatsapp_1:x',
  '@whatsapp_22:x',
  '@whatsapp_1:y',
  '@alice:x',
] as UserId[];
export const ADDRESSES = [
  '10.0.0.1',
  '10.1.2.3',
  '192.0.2.7',
  '::ffff:10.0.0.1',
  '2001:db8::1',
  '2001:db8:1::1',
  '::1',
  'nonsense',
  '',
];
export const REQUESTS = [
  ['GET', '/_matrix/client/v3/sync'],
  ['GET', '/_matrix/client/r0/sync'],
  ['PUT', '/_matrix/client/v3/rooms/!a/send/m.room.message/1'],
  ['PUT', '/_matrix/client/v3/rooms/%21a/send/m.room.message/1'],
  ['POST', '/_matrix/client/v3/rooms/!b/join'],
  ['GET', '/_matrix/client/v3/pushrules/'],
  ['HEAD', '/_matrix/client/v3/pushrules'],
  ['DELETE', '/%zz'],
] as const;

export const room = fc.constantFrom(...ROOMS);
export const rooms = fc.array(room, { maxLength: 5 });

const typeWord = fc.constantFrom(...TYPES, 'm.*', 'm.room.*', 'com.example.*', 'com.*', '*', 'm.room.join_*');
const key = fc.constantFrom('', '@alice:x', '@*', 'other', '*', '@bob:x');
const typed = fc
  .tuple(fc.constantFrom('state', 'state', 'state', 'send', 'read', 'account-data'), typeWord, key)
  .map(([name, type, key]): Permission | null => {
    const { takes } = CAPABILITY[name];
    const text =
      takes === 'nothing' ? name : takes === 'type-and-key' ? `${name}:${type}:${key}` : `${name}:${type}`;
    try {
      return parsePermission(text);
    } catch {
      return null;
    }
  });
export const permissions: fc.Arbitrary<readonly Permission[]> = fc
  .tuple(
    fc.subarray(CAPABILITIES.filter((name) => CAPABILITY[name].takes !== 'a-type')),
    fc.array(typed, { maxLength: 6 }),
  )
  .map(([whole, parts]) => [...whole, ...parts.filter((part) => part !== null)]);

const rule: fc.Arbitrary<EndpointRule> = fc.record({
  verdict: fc.constantFrom('allow', 'deny'),
  on: fc.constantFrom(
    'GET /_matrix/client/v3/sync',
    '* /_matrix/client/v3/rooms/**',
    'PUT /_matrix/client/v3/rooms/!a/send/**',
    'PUT /_matrix/client/v3/rooms/*/send/m.room.*/*',
    'GET /_matrix/client/v1/pushrules/**',
    '* /**',
  ),
});

/** Scopes of every kind, as they would be stored. */
export const scope: fc.Arbitrary<Scope> = fc
  .record(
    {
      v: fc.constant(1 as const),
      rooms: fc.oneof(fc.constant('all' as const), rooms),
      can: permissions,
      by: fc.subarray([
        '@whatsappbot:x',
        '@whatsapp_*:x',
        '@whatsapp_1:x',
        '@w*:x',
        '@whatsapp_*:y',
      ] as CreatorPattern[]),
      types: fc.array(typeWord, { maxLength: 3 }),
      power: fc.constantFrom(-1, 0, 50, 100),
      rules: fc.array(fc.array(rule, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 2 }),
      from: fc.subarray([
        '10.0.0.0/8',
        '10.1.0.0/16',
        '192.0.2.7/32',
        '2001:db8::/32',
        '2001:db8::1/128',
        '0.0.0.0/0',
        '::/0',
      ]),
      uses: fc.integer({ min: 1, max: 5 }),
      followUpgrades: fc.constant(true as const),
    },
    { requiredKeys: ['v', 'rooms', 'can'] },
  )
  .map((made) => made as Scope);

/** The same in their one form. */
export const plain = scope.map(canonical);
