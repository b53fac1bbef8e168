import { CATALOGUE } from '../../../src/gateway/endpoints/catalogue.ts';
import { type Endpoint, isTask, VERSIONS } from '../../../src/gateway/request/endpoint.ts';
import { bodyFor } from './bodies.ts';
import type { Random } from './random.ts';
import { queryFor } from './queries.ts';
import { bent, spelled } from './spelling.ts';
import {
  aliasOf,
  EVENT_KINDS,
  eventOf,
  indexOf,
  LOOKALIKES,
  mediaOf,
  ROOMS,
  SUBJECT,
  USERS,
} from './world.ts';

/** One request, as data: what is written on the socket is made of it. */
export type Sample = {
  readonly method: string;
  readonly target: string;
  /** Besides host, token and length. */
  readonly headers: readonly (readonly [string, string])[];
  /** `own`: the session's; `stranger`: nobody's. */
  readonly token: 'own' | 'stranger' | 'none';
  readonly body: string | null;
  readonly chunked: boolean;
};

const PATHS = CATALOGUE.map((endpoint): readonly [Endpoint, readonly string[]] => [
  endpoint,
  [...endpoint.paths, ...(endpoint.aliases ?? [])],
]);
const SERVING = PATHS.filter(([endpoint]) => endpoint.kind !== 'refused');
const OFTEN = PATHS.filter(
  ([endpoint]) =>
    endpoint.kind === 'forward' ||
    isTask(endpoint, 'multiStep') ||
    isTask(endpoint, 'write') ||
    isTask(endpoint, 'poll'),
);
/** One session's requests end with the one that ends it. */
const ENDS = new Set(['logout']);

const TYPES = [
  'm.room.message',
  'm.room.message',
  'm.room.message',
  'm.sticker',
  'm.reaction',
  'm.room.encrypted',
  'm.room.redaction',
  'm.room.member',
  'm.room.topic',
  'm.room.name',
  'm.room.join_rules',
  'm.room.power_levels',
  'm.room.tombstone',
  'm.call.invite',
  'm.key.verification.start',
  'com.example.x',
  'com.example.settings',
  'm.direct',
  'm.tag',
  'm.fully_read',
  'm.marked_unread',
];
const ODD_HEADERS: readonly (readonly [string, string])[] = [
  ['X-Forwarded-For', '127.0.0.1'],
  ['X-Forwarded-For', '10.0.0.1'],
  ['X-Real-IP', '10.0.0.1'],
  ['X-Forwarded-Uri', '/_matrix/client/v3/account/whoami'],
  ['X_Forwarded_For', '127.0.0.1'],
  ['Forwarded', 'for=127.0.0.1'],
  ['X-Original-URL', '/_synapse/admin/v1/users'],
  ['X-HTTP-Method-Override', 'DELETE'],
  ['Cookie', 'a=b'],
  ['If-None-Match', '*'],
  ['Range', 'bytes=0-1'],
  ['Accept-Encoding', 'gzip, br'],
  ['Origin', 'https://evil.test'],
  ['Connection', 'Authorization'],
  ['Expect', '100-continue'],
  ['TE', 'trailers'],
  ['Via', '1.1 x'],
  ['Content-Type', 'text/plain'],
  ['Content-Type', 'application/json; charset=utf-16'],
  ['User-Agent', 'fuzz'],
  ['Content-Encoding', 'gzip'],
];

/** What a room's request is about: one in scope more often than not. */
function roomFor(random: Random, open: readonly string[]): string {
  if (open.length > 0 && random.chance(0.75)) return random.pick(open);
  return random.chance(0.8) ? random.pick(ROOMS) : random.pick(LOOKALIKES);
}

function valueFor(random: Random, name: string, room: string): string {
  const near = random.chance(0.7) ? indexOf(room) : random.int(9);
  switch (name) {
    case 'roomId':
    case 'roomIdOrAlias':
      return room;
    case 'roomAlias':
      return aliasOf(near);
    case 'eventId':
    case 'threadRootId':
      return eventOf(near, random.pick(EVENT_KINDS));
    case 'userId':
      return random.chance(0.6) ? SUBJECT : random.pick(USERS);
    case 'eventType':
    case 'type':
      return random.pick(TYPES);
    case 'stateKey':
      return random.pick(['', 'key', SUBJECT, random.pick(USERS), random.pick(ROOMS)]);
    case 'txnId':
      return `t${random.int(5)}`;
    case 'relType':
      return random.pick(['m.thread', 'm.annotation', 'm.replace', 'm.reference']);
    case 'receiptType':
      return random.pick(['m.read', 'm.read.private', 'm.fully_read', 'org.x']);
    case 'keyName':
      return random.pick(['displayname', 'avatar_url', 'm.tz', 'com.example', 'us.cloke.msc4175.tz']);
    case 'serverName':
      return random.pick(['hs.test', 'hs.test', 'other.test', '127.0.0.1']);
    case 'mediaId':
      return mediaOf(near);
    case 'tag':
      return random.pick(['m.favourite', 'u.work', 'm.lowpriority']);
    case 'kind':
      return random.pick(['override', 'room', 'sender', 'content', 'underride']);
    case 'ruleId':
      return random.pick(['.m.rule.master', room, SUBJECT]);
    case 'filterId':
      return random.pick(['0', 'mw1-', 'mw1-q1YqVrKqBQA']);
    default:
      return random.pick(['x', '1', room]);
  }
}

/**
 * A request as one could come: most of them fit an operation that is there. @param open the rooms in scope
 */
export function sampleOf(random: Random, open: readonly string[]): Sample {
  const [endpoint, patterns] = random.pick(random.chance(0.7) ? OFTEN : random.chance(0.5) ? SERVING : PATHS);
  const room = roomFor(random, open);
  const version = random.chance(0.7) ? 'v3' : random.pick(VERSIONS);
  const path = random
    .pick(patterns)
    .replace('{v}', version)
    .replaceAll(/\{(\w+)\}|\*\*/g, (_, name: string | undefined) =>
      spelled(random, valueFor(random, name ?? 'rest', room)),
    );
  const query = queryFor(random, endpoint, room);
  const plain = query === '' ? path : `${path}?${query}`;
  const methods = endpoint.methods === 'any' ? ['GET', 'PUT', 'POST', 'DELETE'] : endpoint.methods;
  const method = random.chance(0.95)
    ? random.pick<string>(methods)
    : random.pick(['GET', 'PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD']);
  const withBody = method === 'GET' || method === 'HEAD' ? random.chance(0.02) : random.chance(0.98);
  return {
    method: ENDS.has(endpoint.id) && random.chance(0.9) ? 'GET' : method,
    target: random.chance(0.04) ? bent(random, plain) : plain,
    headers: random.chance(0.1) ? random.some(ODD_HEADERS, 0.15) : [],
    token: random.chance(0.97) ? 'own' : random.pick(['stranger', 'none'] as const),
    body: withBody ? bodyFor(random, endpoint, room, open) : null,
    chunked: random.chance(0.05),
  };
}
