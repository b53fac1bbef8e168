import type { RoomAnswer } from '../../../../src/gateway/filters/shapes/room.ts';
import type { Random } from '../../fuzz/random.ts';
import { ALICE, DEV, OPS, SECRET } from '../../support/grants.ts';
import { Raw } from './json-text.ts';

export const ROOMS = [
  OPS,
  DEV,
  SECRET,
  '!v12_without_a_server_part_of_43_characters',
  '!ünïcode:hs.test',
  '!a"b:hs.test',
];
const USERS = [ALICE, '@bob:hs.test', '@carol:hs.test', 'nobody', '@ünï:hs.test'];
export const TYPES = [
  'm.room.message',
  'm.room.member',
  'm.room.create',
  'm.room.redaction',
  'm.room.name',
  'm.reaction',
  'com.example.a',
  'com.example.ü',
];
const DATA_TYPES = [
  'm.tag',
  'm.fully_read',
  'm.marked_unread',
  'm.push_rules',
  'm.direct',
  'com.example.a',
  'com.example.b',
  'm.secret_storage.key',
];
const ODD = [
  '1e400',
  '-0',
  '1.0',
  '1e2',
  '0.5',
  '12345678901234567890',
  '9007199254740993',
  '-12',
  '1E+2',
  '100000000000000000000000',
];

/** Anything at all. */
export function anything(random: Random, depth = 0): unknown {
  switch (random.int(depth > 3 ? 7 : 10)) {
    case 0:
      return null;
    case 1:
      return random.chance(0.5);
    case 2:
      return random.int(2_000) - 1_000;
    case 3:
      return new Raw(random.pick(ODD));
    case 4:
      return random.pick([
        ...ROOMS,
        ...USERS,
        '$e',
        'mxc://hs.test/abc',
        'text',
        '',
        '\ud800',
        '𝄞é\u0000"\\/',
      ]);
    case 5:
      return new Raw(
        random.pick(['"\\ud83d"', '"\\u006dxc:\\/\\/hs.test\\/esc"', '"\\"\\/\\b"', '[[[]]]', '{}']),
      );
    case 6:
      return random.pick(['m.room.create', 'join', '#a:hs.test']);
    case 7:
      return Array.from({ length: random.int(4) }, () => anything(random, depth + 1));
    default:
      return content(random, depth + 1);
  }
}

const KEYS = [
  'url',
  'avatar_url',
  'thumbnail_url',
  'body',
  'info',
  'file',
  'm.relates_to',
  'm.new_content',
  'membership',
  '1',
  '',
  'é',
  '__proto__',
  'key',
];

function content(random: Random, depth: number): unknown {
  const count = random.chance(0.03) ? 20 : random.int(5);
  const members: Record<string, unknown> = {};
  for (let at = 0; at < count; at++) {
    const key = count === 20 ? `k${at}` : random.pick(KEYS);
    const value =
      key.endsWith('url') && random.chance(0.7)
        ? random.pick(['mxc://hs.test/file', new Raw('"mxc:\\/\\/hs.test\\/other"')])
        : anything(random, depth);
    Object.defineProperty(members, key, { value, enumerable: true, configurable: true, writable: true });
  }
  return members;
}

/** How often a value is not what it should be. */
let rarity = 0.01;

/** Sets how often values are not what they should be. */
export function setRarity(probability: number): void {
  rarity = probability;
}

/** A value, or now and then anything else, or nothing. */
function mostly(random: Random, value: unknown): unknown {
  if (!random.chance(rarity)) return value;
  return random.chance(0.6) ? anything(random) : undefined;
}

/** An event as a homeserver would send it, more or less. */
function event(random: Random, roomId: string, depth = 0): unknown {
  const said = random.chance(0.9) ? roomId : random.pick(ROOMS);
  const event: Record<string, unknown> = {
    type: mostly(random, random.pick(TYPES)),
    sender: mostly(random, random.pick(USERS)),
    event_id: mostly(random, `$${random.int(99)}`),
    origin_server_ts: mostly(random, 1_700_000_000_000 + random.int(99_999)),
    content: mostly(random, content(random, 1)),
  };
  if (random.chance(0.8)) event['room_id'] = mostly(random, said);
  if (random.chance(0.4)) event['state_key'] = mostly(random, random.pick(['', ...USERS]));
  if (random.chance(0.1)) event['prev_content'] = anything(random);
  if (random.chance(0.1)) event['redacts'] = anything(random);
  if (random.chance(0.2)) event['user_id'] = random.pick(USERS);
  if (random.chance(0.5)) event['unsigned'] = mostly(random, unsigned(random, roomId, depth));
  return event;
}

function unsigned(random: Random, roomId: string, depth: number): unknown {
  const some: Record<string, unknown> = {};
  if (random.chance(0.8)) some['age'] = mostly(random, random.int(9_999));
  if (random.chance(0.3)) some['transaction_id'] = 'secret';
  if (random.chance(0.2)) some['prev_content'] = anything(random);
  if (random.chance(0.2)) some['redacted_by'] = '$redaction';
  if (random.chance(0.2)) some['membership'] = 'join';
  if (depth > 5 || !random.chance(0.3)) return some;
  if (random.chance(0.5)) some['redacted_because'] = mostly(random, event(random, roomId, depth + 1));
  some['m.relations'] = mostly(random, {
    ...(random.chance(0.5) ? { 'm.replace': event(random, roomId, depth + 1) } : {}),
    ...(random.chance(0.5)
      ? {
          'm.thread': mostly(random, {
            count: mostly(random, 3),
            latest_event: event(random, roomId, depth + 1),
            other: 1,
          }),
        }
      : {}),
    ...(random.chance(0.3)
      ? { 'm.reference': mostly(random, { chunk: mostly(random, [{ event_id: '$r', type: 'm.x' }, 5]) }) }
      : {}),
    'm.annotation': { chunk: [] },
  });
  return some;
}

function events(random: Random, roomId: string): unknown {
  return mostly(
    random,
    Array.from({ length: random.int(3) }, () => mostly(random, event(random, roomId))),
  );
}

/** An answer that is a list of a room's events, of any kind. */
export function ofRoom(kind: RoomAnswer, random: Random, roomId: string): unknown {
  if (kind === 'context') return context(random, roomId);
  return kind === 'state' ? events(random, roomId) : page(random, roomId);
}

/** A page of `/messages`, and of what else is read in pages. */
function page(random: Random, roomId: string): unknown {
  return {
    start: mostly(random, 't1'),
    chunk: events(random, roomId),
    ...(random.chance(0.3) ? { end: mostly(random, 't2') } : {}),
    ...(random.chance(0.3) ? { state: events(random, roomId) } : {}),
    ...(random.chance(0.3) ? { next_batch: mostly(random, 'n1'), prev_batch: mostly(random, 'p1') } : {}),
    ...(random.chance(0.2) ? { recursion_depth: mostly(random, 3) } : {}),
    ...(random.chance(0.1) ? { other: anything(random) } : {}),
  };
}

/** An answer of `/context`. */
function context(random: Random, roomId: string): unknown {
  return {
    start: mostly(random, 't1'),
    event: mostly(random, event(random, roomId)),
    ...(random.chance(0.8) ? { events_before: events(random, roomId) } : {}),
    ...(random.chance(0.8) ? { events_after: events(random, roomId) } : {}),
    ...(random.chance(0.8) ? { state: events(random, roomId) } : {}),
  };
}

function accountData(random: Random): unknown {
  const type = random.pick(DATA_TYPES);
  const rule = {
    rule_id: random.pick([...ROOMS, ...USERS, '.m.rule.x']),
    enabled: true,
    actions: ['notify', anything(random)],
    conditions: random.chance(0.3)
      ? [{ kind: 'event_match', key: 'room_id', pattern: random.pick(ROOMS) }]
      : undefined,
  };
  const inner =
    type === 'm.push_rules'
      ? { global: mostly(random, { room: [rule], override: [rule], sender: [rule] }) }
      : type === 'm.tag'
        ? { tags: { 'u.a': { order: 0.5, other: 1 } } }
        : random.chance(0.5)
          ? { event_id: '$x', unread: true, rooms: random.some(ROOMS, 0.5), [random.pick(ROOMS)]: 1 }
          : anything(random);
  return mostly(random, {
    type: mostly(random, type),
    content: mostly(random, inner),
    ...(random.chance(0.2) ? { other: 1 } : {}),
  });
}

function ephemeral(random: Random): unknown {
  if (random.chance(0.4))
    return {
      type: 'm.typing',
      content: mostly(random, { user_ids: mostly(random, [random.pick(USERS), 5]) }),
    };
  const users = Object.fromEntries(
    random.some(USERS, 0.5).map((user) => [user, mostly(random, { ts: 5, thread_id: 'main', other: 1 })]),
  );
  return mostly(random, {
    type: mostly(random, 'm.receipt'),
    content: mostly(random, {
      $a: mostly(random, { 'm.read': mostly(random, users), 'm.read.private': users, other: {} }),
      b: users,
    }),
  });
}

const section = (random: Random, list: unknown): unknown =>
  mostly(random, { events: mostly(random, list), ...(random.chance(0.1) ? { other: [1] } : {}) });
const several = (random: Random, one: () => unknown): unknown[] => Array.from({ length: random.int(3) }, one);

function room(random: Random, roomId: string): unknown {
  const some: Record<string, unknown> = {};
  const add = (key: string, chance: number, value: () => unknown): void => {
    if (random.chance(chance)) some[key] = value();
  };
  add('state', 0.5, () => section(random, events(random, roomId)));
  add('timeline', 0.8, () =>
    mostly(random, {
      limited: mostly(random, random.chance(0.3)),
      prev_batch: 'p',
      events: events(random, roomId),
    }),
  );
  add('state_after', 0.2, () => section(random, events(random, roomId)));
  add('summary', 0.3, () =>
    mostly(
      random,
      random.chance(0.5) ? {} : { 'm.heroes': mostly(random, USERS), 'm.joined_member_count': 3 },
    ),
  );
  add('account_data', 0.4, () =>
    section(
      random,
      several(random, () => accountData(random)),
    ),
  );
  add('ephemeral', 0.4, () =>
    section(
      random,
      several(random, () => ephemeral(random)),
    ),
  );
  add('unread_notifications', 0.5, () =>
    mostly(random, { highlight_count: 0, notification_count: mostly(random, 1) }),
  );
  add('unread_thread_notifications', 0.2, () =>
    mostly(random, { $t: mostly(random, { highlight_count: 1 }), x: {} }),
  );
  add('other', 0.2, () => anything(random));
  return mostly(random, some);
}

/** An answer of `/sync`. */
export function sync(random: Random): unknown {
  const rooms = (one: (id: string) => unknown): unknown =>
    mostly(random, Object.fromEntries(random.some(ROOMS, 0.3).map((id) => [id, one(id)])));
  const stripped = (key: string) => (id: string) =>
    mostly(random, { [key]: section(random, events(random, id)) });
  return {
    ...(random.chance(0.99) ? { next_batch: mostly(random, 's1') } : {}),
    ...(random.chance(0.4)
      ? {
          account_data: section(
            random,
            several(random, () => accountData(random)),
          ),
        }
      : {}),
    ...(random.chance(0.3)
      ? {
          presence: section(
            random,
            several(random, () => ({
              type: 'm.presence',
              sender: random.pick(USERS),
              content: mostly(random, { presence: 'online', status_msg: 'x', other: 1 }),
            })),
          ),
        }
      : {}),
    ...(random.chance(0.95)
      ? {
          rooms: mostly(random, {
            ...(random.chance(0.9) ? { join: rooms((id) => room(random, id)) } : {}),
            ...(random.chance(0.3) ? { leave: rooms((id) => room(random, id)) } : {}),
            ...(random.chance(0.3) ? { invite: rooms(stripped('invite_state')) } : {}),
            ...(random.chance(0.2) ? { knock: rooms(stripped('knock_state')) } : {}),
          }),
        }
      : {}),
    ...(random.chance(0.2) ? { to_device: anything(random), device_lists: anything(random) } : {}),
  };
}
