import type { Capability } from '../../../../src/domain/capability.ts';
import type { Scope } from '../../../../src/domain/scope.ts';
import { type Bounds, eventFault } from './bounds.ts';
import { contentFault, plainBody, searchFault } from './bodies.ts';
import { asksForRead, holds, holdsType, readsAll } from './holds.ts';
import { ACCOUNT_ROWS } from './rows-account.ts';
import type { Params, Row, Value } from './row.ts';

const word =
  (...words: readonly string[]): Value =>
  (value) =>
    words.includes(value);
const count: Value = (value) => /^\d{1,6}$/.test(value);
const opaque: Value = (value) => /^[\w.~=|+/-]+$/.test(value);
const ROOM_LISTS = new Set(['rooms']);

/** A filter: whatever it says, it asks for no room outside. */
const filter: Value = (value, { rooms }) => {
  const walk = (node: unknown): boolean => {
    if (Array.isArray(node)) return node.every(walk);
    if (typeof node !== 'object' || node === null) return true;
    return Object.entries(node).every(([key, below]) => {
      if (ROOM_LISTS.has(key))
        return Array.isArray(below) && below.every((room) => rooms.has(room as string));
      return /^[a-z_]+$/.test(key) && walk(below);
    });
  };
  const parsed = JSON.parse(value) as unknown;
  return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) && walk(parsed);
};

/**
 * The same, of events that are read; what is looked up for a write, and for a file, has a form of its own.
 */
const readFilter: Value = (value, bounds) => {
  if (!filter(value, bounds)) return false;
  const parsed = JSON.parse(value) as Record<string, unknown>;
  const own =
    holds(bounds.scope, 'media', 'send', 'react', 'edit', 'redact', 'redact-others') &&
    ['senders', 'contains_url'].includes(Object.keys(parsed).join());
  return own || asksForRead(parsed, bounds.scope);
};
const syncFilter: Value = (value, bounds) => {
  const { room } = JSON.parse(value) as { room?: Record<string, unknown> };
  return (
    filter(value, bounds) &&
    (room === undefined ||
      [room['timeline'], room['state']].every((section) => asksForRead(section ?? {}, bounds.scope)))
  );
};

const readsType =
  (...types: readonly string[]) =>
  (scope: Scope): boolean =>
    types.every((type) => holdsType(scope, 'read', type));
const members = { when: readsType('m.room.member') };
const reads = (scope: Scope): boolean => holds(scope, 'read');
const reacts = (scope: Scope): boolean => holds(scope, 'react');
const sends = (scope: Scope): boolean => holds(scope, 'send', 'react', 'edit', 'redact', 'redact-others');
const anyone = (): boolean => true;
const V3 = '/_matrix/client/v3';
const V1 = '/_matrix/client/v1';
const pages = { from: opaque, to: opaque, dir: word('b', 'f'), limit: count };
const inRoom = (below: string, more: Partial<Row> = {}, version = V3): Row => ({
  method: 'GET',
  path: `${version}/rooms/{room}/${below}`,
  when: reads,
  ...more,
});
const state = { format: word('content', 'event') };
const MEMBERSHIP = word('join', 'invite', 'leave', 'ban', 'knock');
const REDACTS = (scope: Scope): boolean => holds(scope, 'redact', 'redact-others');

/** What is looked up before something is changed: who somebody is in the room, what power is needed. */
const LOOKED_UP = ['m.room.member', 'm.room.power_levels', 'm.room.create', 'm.room.encryption'];
const LOOKS: readonly Capability[] = [
  'presence',
  'send',
  'react',
  'edit',
  'redact',
  'redact-others',
  'state',
  'invite',
  'kick',
  'ban',
  'unban',
  'join',
  'leave',
  'knock',
];
const looked = (below: string): Row =>
  inRoom(below, {
    query: state,
    when: (scope) => holds(scope, ...LOOKS),
    check: ({ type = '' }) => (LOOKED_UP.includes(type) ? null : `reads ${type}`),
  });

const person = (act: Capability): Row =>
  changes('POST', `rooms/{room}/${act}`, act, {
    check: (_, { scope }) => (act !== 'invite' ? powerFault(scope) : null),
    body: (body) =>
      plainBody({ user_id: 'text', reason: 'text' })(body) ??
      (/^@[^:]+:.+$/.test(JSON.stringify(body['user_id'] ?? '').slice(1, -1)) ? null : 'nobody'),
  });
const changes = (method: string, below: string, needs: Capability, more: Partial<Row>): Row => ({
  method,
  path: `${V3}/${below}`,
  when: (scope) => holds(scope, needs),
  body: plainBody({}),
  ...more,
});
const reason = { body: plainBody({ reason: 'text' }) };

/** In this world what decides over others takes a power of fifty, and nobody has more than the subject. */
function powerFault({ power }: Scope): string | null {
  return power !== undefined && power < 50 ? 'more power than the scope allows' : null;
}

/**
 * The closed list, by capability. It was written from the specification and docs/scopes.md, not from the
 * catalogue.
 */
export const TABLE: readonly Row[] = [
  { method: 'GET', path: `${V3}/capabilities`, when: anyone },
  { method: 'GET', path: `${V1}/media/config`, when: anyone },
  { method: 'GET', path: `${V3}/joined_rooms`, when: anyone },
  {
    method: 'GET',
    path: `${V3}/sync`,
    when: reads,
    query: {
      filter: syncFilter,
      since: opaque,
      timeout: count,
      full_state: word('true'),
      set_presence: (value, { scope }) =>
        value === 'offline' || (holds(scope, 'presence') && /^(?:online|unavailable)$/.test(value)),
      use_state_after: word('true'),
      'org.matrix.msc4222.use_state_after': word('true'),
    },
  },
  inRoom('messages', {
    query: { ...pages, filter: readFilter },
    when: (scope) => reads(scope) || sends(scope),
  }),
  inRoom('state'),
  inRoom('state/{type}', {
    query: state,
    when: (scope) => reads(scope) || holds(scope, 'send'),
    check: (params, { scope }) =>
      holdsType(scope, 'read', params['type'] ?? '') ||
      (sends(scope) && params['type'] === 'm.room.encryption')
        ? null
        : 'reads state',
  }),
  inRoom('state/{type}/', {
    query: state,
    when: (scope) => reads(scope) || sends(scope),
    check: (params, { scope }) =>
      holdsType(scope, 'read', params['type'] ?? '') ||
      (sends(scope) && params['type'] === 'm.room.encryption')
        ? null
        : 'reads state',
  }),
  inRoom('state/{type}/{key}', { query: state, check: typeFault }),
  inRoom('members', {
    ...members,
    query: { at: opaque, membership: MEMBERSHIP, not_membership: MEMBERSHIP },
  }),
  inRoom('joined_members', members),
  inRoom('event/{event}', { when: (scope) => reads(scope) || sends(scope) || reacts(scope) }),
  inRoom('context/{event}', { query: { limit: count, filter: readFilter } }),
  inRoom('aliases', { when: readsAll }),
  inRoom('relations/{event}', { query: { ...pages, recurse: word('true', 'false') } }, V1),
  inRoom('relations/{event}/{rel}', { query: { ...pages, recurse: word('true', 'false') } }, V1),
  inRoom(
    'relations/{event}/{rel}/{type}',
    { check: typeFault, query: { ...pages, recurse: word('true', 'false') } },
    V1,
  ),
  inRoom('threads', { query: { ...pages, include: word('all', 'participated') } }, V1),
  inRoom(
    'timestamp_to_event',
    { when: readsAll, query: { ts: (value) => /^\d{1,15}$/.test(value), dir: word('b', 'f') } },
    V1,
  ),
  inRoom(
    'hierarchy',
    {
      when: readsAll,
      query: { suggested_only: word('true', 'false'), max_depth: count, limit: count, from: opaque },
    },
    V1,
  ),
  { method: 'GET', path: `${V1}/room_summary/{room}`, when: readsAll },
  { method: 'GET', path: `${V3}/directory/list/room/{room}`, when: readsAll },
  // A name could lead anywhere; what it leads to is looked at in the answer.
  {
    method: 'GET',
    path: `${V3}/directory/room/{alias}`,
    when: (scope) => readsAll(scope) || holds(scope, 'directory'),
    check: (params) => (/^#[^:]+:.+$/.test(params['alias'] ?? '') ? null : 'no alias'),
  },
  { method: 'GET', path: `${V3}/profile/{user}`, ...members },
  {
    method: 'GET',
    path: `${V3}/profile/{user}/{field}`,
    ...members,
    check: (params) =>
      /^(?:displayname|avatar_url|m\.tz|us\.cloke\.msc4175\.tz)$/.test(params['field'] ?? '')
        ? null
        : 'a field that is not shown',
  },
  { method: 'POST', path: `${V3}/search`, when: reads, query: { next_batch: opaque }, body: searchFault },
  {
    method: 'PUT',
    path: `${V3}/rooms/{room}/send/{type}/{txn}`,
    when: sends,
    check: sendFault,
    body: contentFault,
  },
  {
    method: 'PUT',
    path: `${V3}/rooms/{room}/redact/{event}/{txn}`,
    when: REDACTS,
    check: eventOfRoom,
    body: plainBody({ reason: 'text' }),
  },
  // Whether one is in a room already is what every join asks.
  { method: 'GET', path: `${V3}/rooms/{room}/state/m.room.member/{self}`, when: anyone, query: state },
  ...ACCOUNT_ROWS,
  looked('state/{type}'),
  looked('state/{type}/'),
  looked('state/{type}/{key}'),
  changes('POST', 'rooms/{room}/leave', 'leave', reason),
  changes('POST', 'rooms/{room}/forget', 'leave', {}),
  changes('POST', 'rooms/{room}/join', 'join', reason),
  changes('POST', 'join/{room}', 'join', reason),
  changes('PUT', 'rooms/{room}/state/m.room.member/{self}', 'join', {
    // Where everybody is in every room, it can still change how they are shown there.
    when: (scope) => holds(scope, 'join') || holds(scope, 'profile'),
    body: (body, _, { scope }) =>
      body['membership'] !== 'join'
        ? 'another membership'
        : plainBody({
            membership: 'text',
            reason: 'text',
            ...(holds(scope, 'profile') ? { displayname: 'text', avatar_url: 'text' } : {}),
          })(body),
  }),
  changes('POST', 'knock/{room}', 'knock', reason),
  person('invite'),
  person('kick'),
  person('ban'),
  person('unban'),
  changes('PUT', 'rooms/{room}/state/{type}', 'state', { check: stateFault, body: anyContent }),
  changes('PUT', 'rooms/{room}/state/{type}/', 'state', { check: stateFault, body: anyContent }),
  changes('PUT', 'rooms/{room}/state/{type}/{key}', 'state', { check: stateFault, body: anyContent }),
];

function sendFault(params: Params, { scope }: Bounds): string | null {
  const type = params['type'] ?? '';
  if (!/^mw[\w-]+$/.test(params['txn'] ?? '')) return 'the holder’s own transaction id';
  return holdsType(scope, type === 'm.reaction' ? 'react' : 'send', type) ? null : `sends ${type}`;
}

function stateFault(params: Params, { scope }: Bounds): string | null {
  const type = params['type'] ?? '';
  return holdsType(scope, 'state', type, params['key'] ?? '') ? powerFault(scope) : `sets ${type}`;
}

function anyContent(): null {
  return null;
}

/** By its name alone: events of this world say which room they are of. */
function eventOfRoom(params: Params, { scope }: Bounds): string | null {
  if (!/^mw[\w-]+$/.test(params['txn'] ?? '')) return 'the holder’s own transaction id';
  const event = params['event'] ?? '';
  // What the subject said has an `a` behind its room.
  return eventFault(event, params['room'] ?? '') ?? (event.endsWith('a') ? null : powerFault(scope));
}

function typeFault({ type = '' }: Params, { scope }: Bounds): string | null {
  return holdsType(scope, 'read', type) ? null : `reads ${type}`;
}
