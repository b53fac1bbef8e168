import { ALICE, OPS } from './grants.ts';

// What a homeserver says to the tests of reading by type: events of types in scope and of all others.

export const V3 = '/_matrix/client/v3';
export const V1 = '/_matrix/client/v1';
export const room = encodeURIComponent(OPS);
export const BOB = '@bob:hs.test';

export const event = (type: string, body: string, more: object = {}) => ({
  type,
  event_id: `$${body}`,
  room_id: OPS,
  sender: BOB,
  origin_server_ts: 1,
  content: { body, membership: 'join', displayname: body },
  ...more,
});
const OTHERS = [
  'm.reaction',
  'm.room.messages',
  'm.room.messag',
  'M.ROOM.MESSAGE',
  'm.room.message ',
  'm.room.redaction',
  'm.room.encrypted',
  'com.example.x',
  '',
  '*',
  'm.room.*',
];
const STATE = ['m.room.topic', 'm.room.name', 'm.room.create', 'm.room.third_party_invite'];
export const hidden = [
  ...OTHERS.map((type, at) => event(type, `hidden-${at}`)),
  ...STATE.map((type) =>
    event(type, `hidden-${type}`, {
      state_key: 'hidden-key',
      unsigned: { prev_content: { body: 'hidden' } },
    }),
  ),
  { ...event('m.room.message', 'hidden'), type: ['m.room.message'] },
  { ...event('m.room.message', 'hidden'), type: { toString: 'm.room.message' } },
];
export const member = event('m.room.member', 'member-body', { state_key: BOB });
const inside = event('m.room.redaction', 'hidden-redaction', { redacts: '$seen' });
export const bundle = {
  redacted_because: inside,
  redacted_by: '$hidden-redaction',
  transaction_id: 'hidden',
  'm.relations': {
    'm.replace': event('m.reaction', 'hidden-replace'),
    'm.thread': {
      count: 9,
      current_user_participated: true,
      latest_event: event('m.poll.response', 'hidden-latest'),
    },
    'm.reference': { chunk: [{ event_id: '$hidden-reference' }] },
    'm.annotation': { chunk: [{ type: 'm.reaction', key: 'hidden', count: 1 }] },
  },
};
const edited = event('m.room.message', 'seen-edit', {
  unsigned: {
    redacted_because: inside,
    'm.relations': { 'm.thread': { count: 1, latest_event: event('m.sticker', 'hidden-deep') } },
  },
});
export const seen = [
  event('m.room.message', 'seen', { unsigned: bundle }),
  event('m.room.message', 'seen-too', { unsigned: { 'm.relations': { 'm.replace': edited } } }),
];
export const events = [...hidden, member, ...seen];
export const summary = {
  'm.heroes': ['@member-hero:hs.test'],
  'm.joined_member_count': 90_909,
  'm.invited_member_count': 90_909,
};
const stripped = [
  ...hidden,
  { type: 'm.room.member', state_key: ALICE, sender: BOB, content: { body: 'member-body' } },
];
const PAGE = {
  chunk: events,
  state: events,
  start: 's',
  end: 'e',
  next_batch: 'n',
  prev_batch: 'p',
  event: seen[0],
  events_before: events,
  events_after: events,
};
export const joined = {
  timeline: { events, limited: false, prev_batch: 'p' },
  state: { events },
  summary,
  unread_notifications: { notification_count: 90_909 },
};
const SYNC = {
  next_batch: 's2',
  rooms: {
    join: { [OPS]: joined },
    leave: { [OPS]: joined },
    invite: { [OPS]: { invite_state: { events: stripped } } },
    knock: { [OPS]: { knock_state: { events: stripped } } },
  },
};
const facts = {
  name: 'hidden-name',
  avatar: 'hidden-avatar',
  joined_count: 90_909,
  invited_count: 90_909,
  num_live: 90_909,
  bump_stamp: 90_909,
  heroes: [{ user_id: '@hidden-hero:hs.test' }],
};
const SLIDING = {
  pos: 'p1',
  rooms: { [OPS]: { ...facts, initial: true, timeline: events, required_state: events } },
};
const found = (list: readonly unknown[]) =>
  list.map((result) => ({
    rank: 1,
    result,
    context: {
      start: 's',
      end: 'e',
      events_before: events,
      events_after: events,
      profile_info: { [BOB]: { displayname: 'member-profile' } },
    },
  }));
const SEARCH = {
  search_categories: {
    room_events: {
      results: found(events),
      count: 90_909,
      next_batch: 'n',
      highlights: ['hidden', 'seen'],
      state: { [OPS]: events },
      groups: {
        sender: { [BOB]: { results: ['$hidden-0', '$seen'], next_batch: 'hidden' } },
        room_id: { [OPS]: { results: ['$hidden-1', '$seen'] } },
      },
    },
  },
};

/** What the homeserver answers, wherever it is asked. */
export function answerTo(path: string): unknown {
  const below = path.split('/').slice(4);
  const [what, , part, third] = below;
  if (what === 'sync') return SYNC;
  if (path.endsWith('simplified_msc3575/sync')) return SLIDING;
  if (what === 'search') return SEARCH;
  if (what === 'joined_rooms') return { joined_rooms: [OPS] };
  if (what === 'profile') return { displayname: 'member-profile' };
  if (what === 'directory') return { room_id: OPS, servers: ['hidden'], visibility: 'public' };
  if (what === 'room_summary') return { room_id: OPS, name: 'hidden', num_joined_members: 90_909 };
  if (part === 'joined_members') return { joined: { [BOB]: { display_name: 'member-name' } } };
  if (part === 'aliases') return { aliases: ['#hidden:hs.test'] };
  if (part === 'hierarchy') return { rooms: [{ room_id: OPS, name: 'hidden', children_state: [] }] };
  if (part === 'timestamp_to_event') return { event_id: '$hidden', origin_server_ts: 90_909 };
  if (part === 'state' && third !== undefined)
    return third === 'm.room.member'
      ? member
      : third === 'm.room.message'
        ? seen[0]
        : event('m.room.topic', 'hidden');
  if (part === 'state') return events;
  if (part === 'event')
    return (
      [...hidden, member, ...seen].find(({ event_id: id }) => id === decodeURIComponent(third ?? '')) ??
      hidden[0]
    );
  if (part === 'context') return { ...PAGE, event: answerTo(path.replace('/context/', '/event/')) };
  return PAGE;
}
