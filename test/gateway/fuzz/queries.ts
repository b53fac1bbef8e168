import { isTask } from '../../../src/gateway/request/endpoint.ts';
import type { Endpoint } from '../../../src/gateway/request/endpoint.ts';
import type { Random } from './random.ts';
import { eventOf, indexOf, memberOf, ROOMS, SUBJECT } from './world.ts';

const ANY = [
  'filter',
  'from',
  'to',
  'dir',
  'limit',
  'since',
  'timeout',
  'full_state',
  'set_presence',
  'use_state_after',
  'at',
  'membership',
  'not_membership',
  'format',
  'ts',
  'via',
  'server_name',
  'room_id',
  'user_id',
  'next_batch',
  'only',
  'recurse',
  'include',
  'suggested_only',
  'max_depth',
  'width',
  'height',
  'method',
  'animated',
  'timeout_ms',
  'allow_remote',
  'allow_redirect',
  'filename',
  'url',
  'org.matrix.msc4140.delay',
  'access_token_',
  'x',
  '__proto__',
];
/** Without these nothing comes of it. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  getContentThumbnailAuthed: ['width', 'height', 'method'],
  getUrlPreviewAuthed: ['url'],
};
const SYNC = ['filter', 'since', 'timeout', 'full_state', 'set_presence', 'use_state_after'];

/** A filter: narrowing, widening, and what is none. */
export function filterFor(random: Random, room: string): unknown {
  const rooms = () => random.some([...ROOMS, room], 0.3);
  const events = (): Record<string, unknown> => ({
    ...(random.chance(0.3) ? { rooms: rooms() } : {}),
    ...(random.chance(0.2) ? { not_rooms: rooms() } : {}),
    ...(random.chance(0.2) ? { types: ['m.*'] } : {}),
    ...(random.chance(0.2) ? { senders: [memberOf(indexOf(room)), SUBJECT] } : {}),
    ...(random.chance(0.2) ? { limit: random.pick([1, 50, 1e9, -1, 'x', 1.5]) } : {}),
    ...(random.chance(0.1) ? { lazy_load_members: random.pick([true, 'true']) } : {}),
    ...(random.chance(0.1) ? { 'org.matrix.evil': ROOMS[6] } : {}),
    ...(random.chance(0.02) ? { types: 'm.*' } : {}),
  });
  if (random.chance(0.03)) return random.pick<unknown>([[], null, 'x', 5]);
  return {
    ...events(),
    ...(random.chance(0.5)
      ? {
          room: {
            ...events(),
            timeline: events(),
            state: events(),
            ephemeral: events(),
            include_leave: random.chance(0.3),
          },
        }
      : {}),
    ...(random.chance(0.1)
      ? { presence: {}, account_data: { types: ['*'] }, event_format: 'federation' }
      : {}),
  };
}

function valueFor(random: Random, name: string, room: string): string {
  if (random.chance(0.03))
    return random.pick(['', 'x y', room, '%', '\u0000', '-1', '1e9', 'null', 'é', '../..']);
  switch (name) {
    case 'filter':
      return JSON.stringify(filterFor(random, room));
    case 'dir':
      return random.pick(['b', 'f']);
    case 'from':
    case 'to':
    case 'since':
    case 'at':
    case 'next_batch':
      return random.pick(['s1', 't1-2_3', 'mw0', 'mw5', room]);
    case 'timeout':
      return random.pick(['0', '0', '5', '20']);
    case 'limit':
    case 'max_depth':
    case 'width':
    case 'height':
      return random.pick(['1', '10', '99999', '0']);
    case 'membership':
    case 'not_membership':
      return random.pick(['join', 'leave', 'ban']);
    case 'format':
      return random.pick(['content', 'event']);
    case 'room_id':
      return random.pick(ROOMS);
    case 'user_id':
      return memberOf(random.int(8));
    case 'set_presence':
      return random.pick(['online', 'offline', 'unavailable']);
    case 'include':
      return random.pick(['all', 'participated']);
    case 'method':
      return random.pick(['crop', 'scale']);
    case 'url':
      return random.pick([
        'http://127.0.0.1:8008/_synapse/admin',
        'https://page.example.org/a',
        'http://localhost/x',
        'file:///etc/passwd',
      ]);
    case 'only':
      return 'highlight';
    default:
      return random.pick(['true', 'false', '1', eventOf(indexOf(room), 'a')]);
  }
}

/** The query of a request to this operation, encoded; mostly what it takes, now and then doubled or odd. */
export function queryFor(random: Random, endpoint: Endpoint, room: string): string {
  const known =
    endpoint.kind === 'forward'
      ? Object.keys(endpoint.query ?? {})
      : isTask(endpoint, 'poll')
        ? SYNC
        : (NEEDED[endpoint.id] ?? []);
  const writes = isTask(endpoint, 'write');
  const names = [
    ...random.some(known, endpoint.id in NEEDED ? 0.9 : 0.3),
    ...(random.chance(writes ? 0.03 : 0.15) ? random.some(ANY, 0.06) : []),
  ];
  const pieces = names.map((name) => `${name}=${encoded(random, valueFor(random, name, room))}`);
  if (pieces.length > 0 && random.chance(0.02)) pieces.push(random.pick(pieces));
  if (pieces.length > 0 && random.chance(0.02)) pieces.push(`%66ilter=${encodeURIComponent('{}')}`);
  return pieces.join(random.chance(0.99) ? '&' : ';');
}

function encoded(random: Random, value: string): string {
  if (random.chance(0.96)) return encodeURIComponent(value);
  return random.chance(0.5) ? encodeURIComponent(encodeURIComponent(value)) : encodeURI(value);
}
