import type { Permission } from '../../../src/domain/permission.ts';
import { ENFORCED } from '../../../src/domain/enforced.ts';
import type { EndpointRule } from '../../../src/domain/endpoint-rule.ts';
import type { RoomId } from '../../../src/domain/ids.ts';
import type { Scope } from '../../../src/domain/scope.ts';
import type { Random } from './random.ts';
import { JOINED, OUTSIDE, ROOMS } from './world.ts';

/** What may stand after a capability's name, where the gateway enforces that. */
const SPECIFIED: Readonly<Record<string, readonly Permission[]>> = {
  send: ['send:m.room.message', 'send:m.room.*', 'send:com.*', 'send:m.room.encrypted', 'send:m.sticker'],
  state: [
    'state:m.room.topic',
    'state:m.room.topic:',
    'state:m.room.*',
    'state:com.example.x:*',
    'state:m.room.join_rules',
    'state:com.example.x:key',
  ],
  'account-data': [
    'account-data:com.example.settings',
    'account-data:com.*',
    'account-data:com.example.*',
    'account-data:m.*',
  ],
  read: [
    'read:m.room.message',
    'read:m.room.*',
    'read:m.room.m*',
    'read:m.room.name',
    'read:m.reaction',
    'read:com.example.x',
  ],
};

/** Networks: the fuzzed requests come from the first. */
export const HERE = '127.0.0.0/8';
export const ELSEWHERE = '10.0.0.0/8';

/** Lists of endpoint rules. What each comes to at the homeserver, the oracle says by itself. */
export const FIREWALLS: Readonly<Record<'noSync' | 'noSending' | 'onlyMessages', readonly EndpointRule[]>> = {
  noSync: [{ verdict: 'deny', on: 'GET /_matrix/client/v3/sync' }],
  noSending: [{ verdict: 'deny', on: '* /_matrix/client/r0/rooms/*/send/**' }],
  onlyMessages: [{ verdict: 'allow', on: 'GET /_matrix/client/v3/rooms/*/messages' }],
};

/** A scope of what this version enforces, and nothing else. */
export function scopeOf(random: Random): Scope {
  const permissions = ENFORCED.capabilities.flatMap((name): Permission[] => {
    const bare: Permission[] = name === 'account-data' ? [] : [name];
    return ENFORCED.typed.includes(name) ? [...bare, ...(SPECIFIED[name] ?? [])] : bare;
  });
  const some = random.some(permissions, random.pick([0.1, 0.3, 0.6, 1]));
  // Beside `read` its types say nothing.
  const can = random.chance(0.3) ? some.filter((permission) => permission !== 'read') : some;
  const byType = can.some((permission) => permission.startsWith('read:'));
  return {
    v: 1,
    rooms: random.chance(0.2) ? 'all' : random.some(ROOMS.slice(0, 7), random.pick([0.2, 0.4, 0.4, 0.8])),
    // Without `read` little happens.
    can:
      random.chance(byType ? 0.3 : 0.7) && !can.includes('read') && ENFORCED.capabilities.includes('read')
        ? ['read', ...can]
        : can,
    ...(random.chance(0.15)
      ? { types: random.some(['m.room.*', 'm.reaction', 'com.example.x', 'm.sticker'], 0.5) }
      : {}),
    ...(ENFORCED.features.includes('rules') && random.chance(0.15)
      ? { rules: random.some(Object.values(FIREWALLS), 0.4) }
      : {}),
    ...(ENFORCED.features.includes('from') && random.chance(0.1)
      ? { from: [random.pick([HERE, ELSEWHERE])] }
      : {}),
    ...(ENFORCED.features.includes('uses') && random.chance(0.1) ? { uses: 1 + random.int(6) } : {}),
    ...(ENFORCED.features.includes('power') && random.chance(0.15)
      ? { power: random.pick([0, 25, 50, 100]) }
      : {}),
  };
}

/** The rooms that such a scope opens in the world. */
export function roomsOf(scope: Scope): readonly RoomId[] {
  return (scope.rooms === 'all' ? JOINED : scope.rooms).filter((room) => room !== OUTSIDE);
}
