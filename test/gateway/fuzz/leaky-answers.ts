import {
  aliasOf,
  ENCRYPTED,
  EVENT_KINDS,
  eventOf,
  EVERYWHERE,
  indexOf,
  isIn,
  JOINED,
  memberOf,
  markOf,
  mediaOf,
  OTHER_TYPES,
  ROOMS,
  SUBJECT,
  USERS,
} from './world.ts';

/** An answer's status and its body, which is JSON as a rule. */
export type Leaky = { readonly status: number; readonly body: string };

const OWN = 'hqx';
const HIDDEN = (index: number): string => `hq${index}h`;
/** A number of things that no answer may tell but to who may count notifications. */
export const COUNT = 90_909;

function event(index: number, which: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  const type =
    typeof more['type'] === 'string' ? more['type'] : which === 's' ? 'm.room.name' : 'm.room.message';
  const content = {
    body: HIDDEN(index),
    ...(which === 'm' ? { msgtype: 'm.image', url: `mxc://hs.test/${mediaOf(index)}` } : {}),
    ...(more['content'] as object | undefined),
  };
  return {
    type,
    event_id: eventOf(index, which),
    room_id: ROOMS[index],
    sender: which === 'a' ? SUBJECT : which === 't' ? EVERYWHERE : memberOf(index),
    origin_server_ts: 1_000,
    ...(which === 's' ? { state_key: '' } : {}),
    unsigned: { age: 1, transaction_id: OWN, evil: OWN, prev_content: { body: markOf(type) } },
    evil: OWN,
    ...more,
    content: { ...content, mark: markOf(type) },
  };
}

const member = (index: number, user: string): Record<string, unknown> =>
  event(index, 's', {
    type: 'm.room.member',
    state_key: user,
    content: { membership: 'join', displayname: HIDDEN(index) },
  });

/** Events of other types of the same room inside of one. */
const bundled = (index: number) => ({
  'm.relations': {
    'm.replace': event(index, 'b', { type: 'm.reaction' }),
    'm.thread': {
      count: 1,
      latest_event: event(index, 'b', {
        type: 'com.example.x',
        unsigned: { redacted_because: event(index, 'b', { type: 'm.room.redaction' }) },
      }),
    },
    'm.reference': { chunk: [{ event_id: '$zqz' }] },
  },
  redacted_because: event(index, 'a', { type: 'm.room.redaction' }),
  redacted_by: `$${markOf('m.room.redaction')}`,
});

/**
 * What has got into a list that speaks of one room: other rooms' events, events of none, and others inside of
 * them.
 */
const EVENTS: readonly unknown[] = [
  ...ROOMS.flatMap((_, index) => EVENT_KINDS.map((which) => event(index, which))),
  ...ROOMS.map((_, index) => member(index, memberOf(index))),
  ...ROOMS.flatMap((_, index) => OTHER_TYPES.map((type) => event(index, 'b', { type }))),
  ...ROOMS.map((_, index) => event(index, 't', { unsigned: bundled(index) })),
  { ...event(9, 'a'), room_id: undefined, sender: SUBJECT, event_id: '$nq9a' },
  event(0, 'a', { room_id: '!nq0r:hs.test.evil', content: { body: HIDDEN(9) } }),
  event(0, 'a', { room_id: ['!nq0r:hs.test'], content: { body: HIDDEN(9) } }),
  ...ROOMS.map((_, index) => {
    const other = (index + 1) % ROOMS.length;
    const nested = {
      'm.replace': event(other, 'a'),
      'm.thread': { count: 1, latest_event: event(other, 'b'), evil: OWN },
      'm.reference': { chunk: [{ event_id: eventOf(index, 'b'), evil: OWN }] },
      evil: OWN,
    };
    return event(index, 't', {
      unsigned: { 'm.relations': nested, redacted_because: event(other, 'b'), evil: OWN },
    });
  }),
  null,
  'hq9h',
  [],
];

const own = (type: string, mark: string) => ({ events: [{ type, content: { body: mark, rooms: ROOMS } }] });

function sync(): unknown {
  const room = (index: number) => ({
    timeline: {
      events: [
        event(index, 'a', { room_id: undefined }),
        event((index + 1) % 8, 'b'),
        ...EVENTS.slice(0, 3),
        ...OTHER_TYPES.map((type) => event(index, 'b', { type })),
        event(index, 't', { unsigned: bundled(index) }),
      ],
      limited: true,
      prev_batch: 't1',
      evil: OWN,
    },
    state: { events: [member(index, memberOf(index)), member((index + 1) % 8, memberOf((index + 1) % 8))] },
    summary: {
      'm.heroes': [memberOf(index), `@${markOf('m.room.member')}:hs.test`],
      'm.joined_member_count': 3,
      evil: OWN,
    },
    account_data: own('m.tag', 'hqt'),
    ephemeral: {
      events: [
        {
          type: 'm.receipt',
          content: {
            [eventOf(index, 'a')]: {
              'm.read': { [memberOf(index)]: { ts: 1, evil: OWN } },
              'm.evil': { [OWN]: { ts: 1 } },
            },
          },
        },
      ],
    },
    unread_notifications: { notification_count: COUNT, highlight_count: COUNT },
    unread_thread_notifications: { $x: { notification_count: COUNT } },
    'org.matrix.evil': OWN,
  });
  const stripped = (index: number) => ({
    invite_state: {
      events: [
        {
          type: 'm.room.name',
          state_key: '',
          sender: memberOf(index),
          content: { name: HIDDEN(index), mark: markOf('m.room.name') },
          evil: OWN,
        },
        {
          type: 'm.room.topic',
          state_key: '',
          sender: memberOf(index),
          content: { topic: markOf('m.room.topic') },
        },
      ],
    },
    knock_state: { events: [event(index, 's'), event((index + 1) % 8, 's')] },
  });
  const each = (of: (index: number) => unknown) =>
    Object.fromEntries(ROOMS.map((id, index) => [id, of(index)]));
  return {
    next_batch: 's2',
    rooms: {
      join: each(room),
      leave: each(room),
      invite: each(stripped),
      knock: each(stripped),
      'org.evil': each(room),
    },
    account_data: own('m.direct', 'hqd'),
    presence: own('m.presence', 'hqp'),
    to_device: own('m.room_key', OWN),
    device_lists: { changed: [memberOf(6), OWN], left: [] },
    device_one_time_keys_count: { signed_curve25519: COUNT },
    device_unused_fallback_key_types: [OWN],
    'org.evil': OWN,
  };
}

const summary = (index: number) => ({
  room_id: ROOMS[index],
  name: `${HIDDEN(index)} zqz`,
  canonical_alias: `#nq${index}n:hs.test`,
  num_joined_members: 3,
  join_rule: 'restricted',
  allowed_room_ids: ROOMS,
  evil: OWN,
});
const hierarchy = () => ({
  rooms: ROOMS.map((_, index) => ({
    ...summary(index),
    children_state: ROOMS.map((room, child) => ({
      type: 'm.space.child',
      state_key: room,
      sender: memberOf(index),
      content: { via: [`nq${child}s.test`, 'zqz.test'] },
      origin_server_ts: 1,
      evil: OWN,
    })),
  })),
  evil: OWN,
});

function search(): unknown {
  const results = ROOMS.map((_, index) => ({
    rank: 1,
    result: event(index, 'b', index % 2 === 0 ? {} : { type: OTHER_TYPES[index % OTHER_TYPES.length] }),
    context: {
      events_before: [event((index + 1) % 8, 'a')],
      events_after: [event(index, 'a'), ...OTHER_TYPES.map((type) => event(index, 'b', { type }))],
      profile_info: {
        [memberOf((index + 1) % 8)]: { displayname: HIDDEN((index + 1) % 8) },
        [memberOf(index)]: { displayname: `${HIDDEN(index)} ${markOf('m.room.member')}` },
      },
      start: 't1',
      end: 't2',
    },
  }));
  const state = Object.fromEntries(
    ROOMS.map((room, index) => [room, [event(index, 's'), event((index + 1) % 8, 's')]]),
  );
  const groups = {
    room_id: Object.fromEntries(
      ROOMS.map((room, index) => [room, { results: [eventOf(index, 'b')], order: 1, next_batch: 'hq9h' }]),
    ),
    sender: Object.fromEntries(
      ROOMS.map((_, index) => [memberOf(index), { results: [eventOf(index, 'b')], order: 1 }]),
    ),
  };
  return {
    search_categories: {
      room_events: { results, state, groups, count: COUNT, next_batch: 'hq9h', highlights: ['nq'] },
      evil: OWN,
    },
  };
}

const notifications = () => ({
  notifications: ROOMS.map((room, index) => ({
    actions: ['notify'],
    event: event(index, 'b', index % 2 === 0 ? {} : { type: 'm.reaction' }),
    read: false,
    room_id: room,
    ts: 1,
    profile_tag: 'hqn',
  })),
  next_token: 'n2',
  evil: OWN,
});
const PAGE = {
  start: 't1',
  end: 't2',
  next_batch: 't3',
  chunk: EVENTS,
  state: EVENTS,
  event: event(6, 'a'),
  events_before: EVENTS,
  events_after: EVENTS,
  evil: OWN,
};

const ok = (value: unknown): Leaky => ({ status: 200, body: JSON.stringify(value) });
const gone: Leaky = {
  status: 404,
  body: JSON.stringify({ errcode: 'M_NOT_FOUND', error: 'hqx !nq6r:hs.test syt_leak', evil: OWN }),
};
const SYNC = ok(sync());
const HIERARCHY = ok(hierarchy());
const SEARCH = ok(search());
const NOTIFICATIONS = ok(notifications());
const LIST = ok(EVENTS);
const CONFIG = ok({ 'm.upload.size': 5, evil: OWN });
const PUBLIC = ok({
  chunk: [
    {
      room_id: '!public:hs.test',
      name: 'Public',
      num_joined_members: 1,
      world_readable: true,
      guest_can_join: false,
      evil: OWN,
    },
  ],
  next_batch: 'p2',
  evil: OWN,
});
const rule = (rule_id: string, more: object = {}) => ({
  rule_id,
  default: false,
  enabled: true,
  actions: ['notify'],
  evil: OWN,
  ...more,
});
const RULES = ok({
  global: {
    room: ROOMS.map((room) => rule(room)),
    override: ROOMS.map((room) =>
      rule('hqk', { conditions: [{ kind: 'event_match', key: 'room_id', pattern: room, evil: OWN }] }),
    ),
    evil: [rule(OWN)],
  },
  evil: OWN,
});
let sent = 0;

/**
 * How a homeserver would answer that does as it likes: it shows any event through any room, puts everything
 * into every list, and tells what is the subject's own.
 * @param segments of the path, decoded
 */
export function leakyAnswer(method: string, segments: readonly string[], asEvent: boolean): Leaky {
  const below = segments.slice(4);
  const [what = '', roomId = '', part = '', third = '', fourth = ''] = below;
  if (segments[3] === 'versions')
    return ok({
      versions: ['v1.11', 'v9.99'],
      unstable_features: { 'org.matrix.msc3030': true, evil: true },
      evil: OWN,
    });
  if (what === 'rooms') return roomAnswer(method, roomId, part, third, fourth, asEvent);
  if (method !== 'GET' && !['search', 'upload', 'create', 'publicRooms', 'user_directory'].includes(what))
    return ok({ event_id: '$nq9sent', room_id: '!nq9r:hs.test', evil: OWN });
  switch (what) {
    case 'sync':
      return SYNC;
    case 'search':
      return SEARCH;
    case 'joined_rooms':
      return ok({ joined_rooms: JOINED, evil: OWN });
    case 'room_summary':
      return ok(summary(indexOf(roomId) === 9 ? 6 : indexOf(roomId)));
    case 'notifications':
      return NOTIFICATIONS;
    case 'capabilities':
      return ok({
        capabilities: {
          'm.room_versions': { default: '11', available: { 11: 'stable' }, evil: OWN },
          'm.evil': { enabled: OWN },
        },
      });
    case 'media':
      return roomId === 'config' ? CONFIG : fileAnswer(third);
    case 'upload':
      return ok({ content_uri: 'mxc://hs.test/new', evil: OWN });
    case 'create':
      return ok({ content_uri: 'mxc://hs.test/new', unused_expires_at: 9e15, evil: OWN });
    case 'publicRooms':
      return PUBLIC;
    case 'user_directory':
      return ok({
        limited: false,
        results: [{ user_id: '@somebody:hs.test', display_name: 'Somebody', evil: OWN }],
        evil: OWN,
      });
    case 'thirdparty':
      return ok({
        irc: { user_fields: ['x'], location_fields: [], icon: '', field_types: {}, instances: [], evil: OWN },
      });
    case 'pushrules':
      return RULES;
    case 'presence':
      return ok({
        presence: 'online',
        last_active_ago: 5,
        status_msg: 'hqp',
        currently_active: true,
        evil: OWN,
      });
    case 'config':
      return ok({ 'm.upload.size': 5, evil: OWN });
    case 'directory':
      return roomId === 'room' ? aliasAnswer(part) : ok({ visibility: 'public', evil: OWN });
    case 'profile':
      return profileAnswer(roomId);
    case 'user':
      return segments.includes('tags')
        ? ok({ tags: { 'u.hqt': { order: 1, evil: OWN } }, evil: OWN })
        : ok({ body: 'hqd' });
    default:
      return ok({ ...PAGE, evil: OWN });
  }
}

function aliasAnswer(alias: string): Leaky {
  const index = ROOMS.findIndex((_, at) => aliasOf(at) === alias);
  return index === -1 ? gone : ok({ room_id: ROOMS[index], servers: ['hs.test'], evil: OWN });
}

/** The file says where it is shown. */
function fileAnswer(id: string): Leaky {
  const index = ROOMS.findIndex((_, at) => mediaOf(at) === id);
  return index === -1 ? gone : { status: 200, body: `hqm ${HIDDEN(index)}` };
}

function profileAnswer(user: string): Leaky {
  if (!USERS.includes(user)) return gone;
  const index = Number(/nq(\d)/.exec(user)?.[1] ?? -1);
  return ok({
    displayname: `${index === -1 ? 'Somebody' : HIDDEN(index)} ${markOf('m.room.member')}`,
    avatar_url: 'mxc://hs.test/x',
    'org.evil': OWN,
  });
}

function roomAnswer(
  method: string,
  roomId: string,
  part: string,
  third: string,
  fourth: string,
  asEvent: boolean,
): Leaky {
  const index = indexOf(roomId);
  if (method !== 'GET') return ok({ event_id: `$nq${index}sent${++sent}`, evil: OWN });
  if (index === 9) return gone;
  switch (part) {
    case 'state':
      return third === '' ? LIST : stateAnswer(index, third, fourth, asEvent);
    case 'event':
      return eventAnswer(third, index);
    case 'context':
      return ok({ ...PAGE, event: event(Number(/^\$nq(\d)/.exec(third)?.[1] ?? 6) % 8, 'a') });
    case 'joined_members':
      return ok({
        joined: {
          [memberOf(index)]: { display_name: `${HIDDEN(index)} ${markOf('m.room.member')}`, evil: OWN },
          [SUBJECT]: {},
        },
        evil: OWN,
      });
    case 'aliases':
      return ok({ aliases: [`#nq${index}n:hs.test`, '#zqz:hs.test'], evil: OWN });
    case 'hierarchy':
      return HIERARCHY;
    case 'timestamp_to_event':
      return ok({ event_id: `${eventOf(index, 'a')}zqz`, origin_server_ts: 5, evil: OWN });
    default:
      return ok(PAGE);
  }
}

/** Any event, whatever room is asked: only the event says where it is from. */
function eventAnswer(id: string, index: number): Leaky {
  const [, of, which] = /^\$nq(\d)([a-z])$/.exec(id) ?? [];
  return of === undefined || which === undefined || !(Number(of) in ROOMS)
    ? ok(event((index + 1) % 8, 'b'))
    : ok(event(Number(of), which));
}

function stateAnswer(index: number, type: string, key: string, asEvent: boolean): Leaky {
  const plain = stateContent(index, type, key);
  if (plain === null) return gone;
  const content = { ...plain, mark: markOf(type) };
  // The content is the room's own; an event says where it is from, and is another room's as often as not.
  return ok(
    asEvent ? event(key === '' ? (index + 1) % 8 : index, 's', { type, state_key: key, content }) : content,
  );
}

function stateContent(index: number, type: string, key: string): object | null {
  switch (type) {
    case 'm.room.encryption':
      return ENCRYPTED.includes(ROOMS[index] as never) ? { algorithm: 'm.megolm.v1.aes-sha2' } : null;
    case 'm.room.power_levels':
      return { users: { [SUBJECT]: 100 }, events: {}, state_default: 50 };
    case 'm.room.create':
      return { room_version: '11', creator: SUBJECT };
    case 'm.room.member':
      return isIn(key, index) ? { membership: 'join', displayname: HIDDEN(index) } : null;
    default:
      return { name: HIDDEN(index) };
  }
}
