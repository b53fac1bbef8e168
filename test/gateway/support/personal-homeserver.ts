import type { Permission } from '../../../src/domain/permission.ts';
import type { Scope } from '../../../src/domain/scope.ts';
import { ALICE, DEV, grantOf, OPS, SECRET } from './grants.ts';
import { stage, type Stage } from './stage.ts';

export const BOB = '@bob:hs.test';
export const STRANGER = '@stranger:hs.test';
export const V3 = '/_matrix/client/v3';
export const me = encodeURIComponent(ALICE);
export const inRoom = (room: string, below: string) => `${V3}/rooms/${encodeURIComponent(room)}/${below}`;
export const ofMine = (below: string, user: string = me) => `${V3}/user/${user}/${below}`;
export const roomData = (room: string, below: string, user: string = me) =>
  ofMine(`rooms/${encodeURIComponent(room)}/${below}`, user);

/** Push rules of every kind, some of which name what is outside. */
const RULES = {
  override: [
    { rule_id: '.m.rule.master', default: true, enabled: false, conditions: [], actions: [] },
    {
      rule_id: SECRET,
      enabled: true,
      conditions: [{ kind: 'event_match', key: 'room_id', pattern: SECRET }],
      actions: [],
    },
    {
      rule_id: OPS,
      enabled: true,
      conditions: [{ kind: 'event_match', key: 'room_id', pattern: OPS }],
      actions: ['dont_notify'],
    },
    {
      rule_id: 'glob',
      enabled: true,
      conditions: [{ kind: 'event_match', key: 'room_id', pattern: '*secret*' }],
      actions: [],
    },
    {
      rule_id: 'person',
      enabled: true,
      conditions: [{ kind: 'event_match', key: 'sender', pattern: STRANGER }],
      actions: [],
    },
    { rule_id: 'odd', enabled: true, conditions: [{ kind: 'org.unknown', leak: 'secret' }], actions: [] },
  ],
  content: [
    {
      rule_id: 'launch',
      enabled: true,
      pattern: 'launch',
      actions: ['notify', { set_tweak: 'sound', value: 'default', leak: 'secret' }],
      leak: 'secret',
    },
    { rule_id: 'to', enabled: true, pattern: `https://matrix.to/#/${SECRET}`, actions: ['notify'] },
  ],
  room: [
    { rule_id: OPS, enabled: true, actions: ['notify'] },
    { rule_id: SECRET, enabled: true, actions: ['notify'] },
  ],
  sender: [
    { rule_id: STRANGER, enabled: true, actions: ['notify'] },
    { rule_id: ALICE, enabled: true, actions: ['notify'] },
  ],
  underride: [],
};

const rang = (room: string, id: string) => ({
  actions: ['notify', { set_tweak: 'leak' }],
  profile_tag: 'leak',
  read: false,
  room_id: room,
  ts: 1,
  event: {
    type: 'm.room.message',
    event_id: id,
    room_id: room,
    sender: BOB,
    content: { body: `in ${room}` },
    origin_server_ts: 1,
  },
});

/** Two pages of nothing but outside, then one that is mixed. */
const PAGES: Readonly<Record<string, object>> = {
  '': { next_token: '9', notifications: [rang(SECRET, '$s1'), rang(SECRET, '$s2')] },
  '9': {
    next_token: '8',
    notifications: [rang(SECRET, '$s3'), { ...rang(OPS, '$spoof'), event: rang(SECRET, '$spoof').event }],
  },
  '8': { next_token: '7', notifications: [rang(OPS, '$o1'), rang(SECRET, '$s4')] },
  '7': { notifications: [rang(OPS, '$o2')] },
};

const DATA: Readonly<Record<string, object>> = {
  'com.example.rooms': { list: [OPS, SECRET], by: { [OPS]: 1, [SECRET]: 2 }, one: SECRET, words: 'stay' },
  'm.direct': { [STRANGER]: [SECRET] },
  'm.tag': { tags: { 'u.work': { order: 0.5, leak: 'secret' } } },
  'm.fully_read': { event_id: '$own', leak: 'secret' },
};

/**
 * A gateway before a homeserver that knows the subject's own, and takes every change; the scope beside it.
 */
export async function personalStage(can: readonly Permission[], scope: Partial<Scope> = {}): Promise<Stage> {
  const rooms = scope.rooms ?? [OPS, DEV];
  const s = await stage({
    rooms,
    joined: [OPS, DEV],
    grant: { scope: { ...grantOf(rooms).scope, can, ...scope } },
    limits: { writesAtOnce: 1_000, personalAtOnce: 1_000 },
  });
  s.homeserver.answer(({ method, path, query }, response) => {
    const missing = (): undefined =>
      void response
        .writeHead(404, { 'content-type': 'application/json' })
        .end('{"errcode":"M_NOT_FOUND","error":"x"}');
    if (method === 'PUT' || method === 'DELETE') return {};
    const [, eventId] = /\/event\/([^/]+)$/.exec(path) ?? [];
    if (eventId !== undefined) {
      const id = decodeURIComponent(eventId);
      // As one that serves any event through any room.
      if (id === '$elsewhere')
        return { event_id: id, room_id: SECRET, sender: ALICE, type: 'm.room.message', content: {} };
      return id.startsWith('$own')
        ? { event_id: id, room_id: OPS, sender: ALICE, type: 'm.room.message', content: {} }
        : missing();
    }
    const [, user] = /m\.room\.member\/([^/]+)$/.exec(path) ?? [];
    if (user !== undefined)
      return decodeURIComponent(user) === BOB
        ? { membership: 'join' }
        : decodeURIComponent(user) === STRANGER
          ? { membership: 'leave' }
          : missing();
    if (path.endsWith('/pushrules/')) return { global: RULES };
    if (path.endsWith('/notifications')) return PAGES[query.get('from') ?? ''] ?? missing();
    if (path.endsWith('/tags')) return DATA['m.tag'];
    const [, type] = /account_data\/([^/]+)$/.exec(path) ?? [];
    if (type !== undefined) return DATA[decodeURIComponent(type)] ?? missing();
    if (path.includes('/presence/'))
      return {
        presence: 'online',
        status_msg: 'here',
        last_active_ago: 5,
        currently_active: true,
        leak: 'secret',
      };
    if (path.includes('/thread_subscriptions'))
      return {
        subscribed: {
          [OPS]: { $own: { automatic: false, bump_stamp: 3 } },
          [SECRET]: { $s: { automatic: true, bump_stamp: 4 } },
        },
        end: '5',
      };
    if (path.endsWith('/subscription')) return { automatic: true, leak: 'secret' };
    if (path.includes('/directory/room/')) return { room_id: SECRET, servers: ['hs.test'], leak: 'secret' };
    if (path.endsWith('/publicRooms'))
      return {
        chunk: [{ room_id: SECRET, name: 'Public', num_joined_members: 3, leak: 'x' }],
        next_batch: 'n',
        leak: 'x',
      };
    if (path.endsWith('/user_directory/search'))
      return { limited: false, results: [{ user_id: STRANGER, display_name: 'S', leak: 'x' }] };
    return {};
  });
  return s;
}

/** What was changed at the homeserver, as it saw it. */
export function changesAt(s: Stage) {
  return s.homeserver.seen
    .filter(({ method, path }) => method !== 'GET' && !/\/(?:publicRooms|user_directory\/search)$/.test(path))
    .map(({ method, path, url, body }) => ({
      method,
      path: decodeURIComponent(path),
      query: url.split('?')[1] ?? '',
      body: body === '' ? null : (JSON.parse(body) as unknown),
    }));
}
