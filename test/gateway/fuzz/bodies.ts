import { isTask } from '../../../src/gateway/request/endpoint.ts';
import type { Endpoint } from '../../../src/gateway/request/endpoint.ts';
import { filterFor } from './queries.ts';
import type { Random } from './random.ts';
import { EVENT_KINDS, eventOf, indexOf, memberOf, ROOMS, SUBJECT, USERS } from './world.ts';

/** The body of a request to this operation: mostly one that fits, now and then bent. */
export function bodyFor(random: Random, endpoint: Endpoint, room: string, open: readonly string[]): string {
  const text = JSON.stringify(valueFor(random, endpoint, room, open));
  if (random.chance(0.95)) return text;
  return random.pick<(text: string) => string>([
    () => '',
    () => '[]',
    () => 'null',
    () => '{',
    (text) => `\ufeff${text}`,
    (text) => text.replace('{', '{"body":"a","body":"b",'),
    (text) => text.replace('{', '{"m.relates_to":{},"m.relates\\u005fto":{},'),
    (text) => `${text}${text}`,
    (text) => text.replace('{', '{"__proto__":{"rooms":["!nq6r:hs.test"]},'),
    () => '['.repeat(500),
    (text) => text.replaceAll('"', "'"),
    (text) => text.replace('}', ',}'),
  ])(text);
}

function valueFor(random: Random, endpoint: Endpoint, room: string, open: readonly string[]): unknown {
  if (isTask(endpoint, 'write'))
    return endpoint.id.startsWith('redact') ? redaction(random) : content(random, room);
  if (endpoint.id === 'search') return search(random, room, open);
  if (endpoint.id.includes('ilter')) return filterFor(random, room);
  const user = random.chance(0.5) ? SUBJECT : random.pick(USERS);
  const fields: Record<string, unknown> = {
    membership: random.pick(['join', 'leave', 'invite', 'ban']),
    user_id: user,
    reason: 'because',
    displayname: 'Alice',
    avatar_url: 'mxc://hs.test/nq0m',
    presence: random.pick(['online', 'offline', 'unavailable', 'busy']),
    status_msg: 'hello',
    typing: true,
    timeout: random.pick([1, 30_000, 1e9]),
    order: 0.5,
    'm.fully_read': eventOf(indexOf(room), random.pick(EVENT_KINDS)),
    'm.read': eventOf(random.int(8), random.pick(EVENT_KINDS)),
    'm.read.private': eventOf(indexOf(room), 'a'),
    thread_id: random.pick(['main', eventOf(indexOf(room), 't'), eventOf(random.int(8), 't')]),
    search_term: 'nq',
    limit: 10,
    since: 's1',
    filter: { generic_search_term: 'x' },
    name: 'A name',
    topic: 'A topic',
    url: `mxc://hs.test/nq${random.int(8)}m`,
    alias: '#nq6n:hs.test',
    via: ['hs.test'],
    third_party_signed: { sender: memberOf(6), mxid: SUBJECT, token: 'x', signatures: {} },
    id_server: 'id.test',
    medium: 'email',
    address: 'a@b.c',
    'm.relates_to': relation(random, room),
    room_id: random.pick(ROOMS),
    automatic: random.pick([eventOf(indexOf(room), 't'), true]),
    users: { [SUBJECT]: 100 },
    messages: { [memberOf(0)]: { '*': {} } },
    device_keys: { [SUBJECT]: [] },
    unread: true,
  };
  const names = Object.keys(fields);
  const wanted = random.some(names, random.pick([0.05, 0.1, 0.3]));
  // What most requests of this kind need.
  const usual = ['membership', 'user_id', 'typing', 'presence', 'displayname', 'search_term', 'topic'].filter(
    () => random.chance(0.35),
  );
  return Object.fromEntries([...wanted, ...usual].map((name) => [name, fields[name]]));
}

function relation(random: Random, room: string): unknown {
  const target = () => eventOf(random.chance(0.75) ? indexOf(room) : random.int(9), random.pick(EVENT_KINDS));
  return {
    ...(random.chance(0.8)
      ? {
          rel_type: random.pick(['m.replace', 'm.annotation', 'm.thread', 'm.reference', 'm.other']),
          event_id: target(),
        }
      : {}),
    ...(random.chance(0.3) ? { key: 'x' } : {}),
    ...(random.chance(0.2) ? { 'm.in_reply_to': { event_id: target() } } : {}),
  };
}

function content(random: Random, room: string): unknown {
  if (random.chance(0.15)) {
    const event_id = eventOf(random.chance(0.8) ? indexOf(room) : random.int(8), random.pick(EVENT_KINDS));
    return { 'm.relates_to': { rel_type: 'm.annotation', event_id, key: '👍' } };
  }
  return {
    body: random.chance(0.9) ? 'hello' : '@room',
    msgtype: random.chance(0.95) ? 'm.text' : random.pick(['m.key.verification.request', 'm.server_notice']),
    ...(random.chance(0.3)
      ? { 'm.relates_to': relation(random, room), 'm.new_content': { body: random.pick(['new', '@room']) } }
      : {}),
    ...(random.chance(0.1) ? { 'm.mentions': { room: random.chance(0.5) } } : {}),
    ...(random.chance(0.1) ? { url: `mxc://hs.test/nq${random.int(8)}m` } : {}),
  };
}

function redaction(random: Random): unknown {
  return {
    ...(random.chance(0.5) ? { reason: random.pick<unknown>(['r', 5]) } : {}),
    ...(random.chance(0.1) ? { 'org.matrix.msc3912.with_relations': ['*'] } : {}),
  };
}

function search(random: Random, room: string, open: readonly string[]): unknown {
  const rooms = random.chance(0.5) ? random.some([...ROOMS], 0.4) : random.some([...open, room], 0.6);
  return {
    search_categories: {
      room_events: {
        search_term: random.chance(0.95) ? 'nq' : 5,
        filter: random.chance(0.7)
          ? { ...(filterFor(random, room) as object), ...(random.chance(0.5) ? { rooms } : {}) }
          : undefined,
        ...(random.chance(0.3)
          ? { keys: random.pick([['content.body'], ['content.name'], ['sender'], 'x']) }
          : {}),
        ...(random.chance(0.3) ? { order_by: random.pick(['rank', 'recent', 'x']) } : {}),
        ...(random.chance(0.3) ? { include_state: true } : {}),
        ...(random.chance(0.3)
          ? { event_context: { before_limit: 1e6, after_limit: 1, include_profile: true } }
          : {}),
        ...(random.chance(0.3)
          ? { groupings: { group_by: [{ key: random.pick(['room_id', 'sender', 'x']), evil: room }] } }
          : {}),
      },
      ...(random.chance(0.1) ? { people: { search_term: 'x' } } : {}),
    },
  };
}
