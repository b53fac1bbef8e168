import type { Capability } from '../../../../src/domain/capability.ts';
import { mediaOf, ROOMS } from '../world.ts';
import { plainBody } from './bodies.ts';
import { type Bounds, eventFault } from './bounds.ts';
import { holds, holdsType, readsAll } from './holds.ts';
import type { Check, Row, Value } from './row.ts';

// Signs, the subject's own, people and media, from the specification and docs/scopes.md.

const V3 = '/_matrix/client/v3';
const V1 = '/_matrix/client/v1';
const word =
  (...words: readonly string[]): Value =>
  (value) =>
    words.includes(value);
const count: Value = (value) => /^\d{1,6}$/.test(value);
const opaque: Value = (value) => /^[\w.~=|+/-]+$/.test(value);
const row = (
  needs: Capability | readonly Capability[],
  method: string,
  path: string,
  more: Partial<Row> = {},
): Row => ({
  method,
  path,
  when: (scope) => holds(scope, ...[needs].flat()),
  ...(method === 'PUT' || method === 'POST' ? { body: plainBody({}) } : {}),
  ...more,
});
const anyContent = (): null => null;

const eventHere: Check = ({ event = '', room = '' }) => eventFault(event, room);
const dataFault: Check = ({ type = '' }, { scope }) =>
  holdsType(scope, 'account-data', type) ? null : `account data ${type}`;
const fieldFault: Check = ({ field = '' }) =>
  /^(?:displayname|avatar_url|m\.tz|us\.cloke\.msc4175\.tz)$/.test(field) ? null : `a field ${field}`;

/** Media that an event in a room in scope shows; any, where that is granted. */
const mediaFault: Check = ({ server, media }, { scope, rooms }: Bounds) => {
  if (holds(scope, 'media-any')) return null;
  if (!readsAll(scope) && !holds(scope, 'media')) return 'a file, with some types of events alone';
  // It stands in a message; `media` without any reading opens what nobody reads.
  if (holds(scope, 'read') && !holdsType(scope, 'read', 'm.room.message'))
    return 'a file of an event that is not read';
  const index = ROOMS.findIndex((room, at) => rooms.has(room) && mediaOf(at) === media);
  return server === 'hs.test' && index !== -1 ? null : 'media that no event in scope shows';
};

const DATA = `${V3}/user/{self}/account_data/{type}`;
const ROOM_DATA = `${V3}/user/{self}/rooms/{room}/account_data/{type}`;
const tagFault: Check = ({ tag = '' }) =>
  /^(?:m\.(?:favourite|lowpriority)$|u\.)/.test(tag) ? null : 'a tag that clients act on';
const TAGS = `${V3}/user/{self}/rooms/{room}/tags`;
const RULES = `${V3}/pushrules`;
const THREAD = '/_matrix/client/unstable/io.element.msc4306/rooms/{room}/thread/{event}/subscription';
const media = { timeout_ms: count, allow_remote: word('true', 'false'), allow_redirect: word('false') };
const picture = {
  ...media,
  width: count,
  height: count,
  method: word('crop', 'scale'),
  animated: word('true', 'false'),
};
const FILE = '{server}/{media}';
const SHOWN: readonly Capability[] = ['read', 'media', 'media-any'];

export const ACCOUNT_ROWS: readonly Row[] = [
  row('receipts', 'POST', `${V3}/rooms/{room}/receipt/m.read/{event}`, {
    check: eventHere,
    body: threadBody,
  }),
  row('markers', 'POST', `${V3}/rooms/{room}/receipt/m.read.private/{event}`, {
    check: eventHere,
    body: threadBody,
  }),
  row('markers', 'POST', `${V3}/rooms/{room}/receipt/m.fully_read/{event}`, { check: eventHere }),
  row(['markers', 'receipts'], 'POST', `${V3}/rooms/{room}/read_markers`, { body: markersBody }),
  row('markers', 'PUT', ROOM_DATA, {
    check: ({ type = '' }) => (type.endsWith('marked_unread') ? null : 'account data'),
    body: plainBody({ unread: 'flag' }),
  }),
  row(['receipts', 'markers'], 'GET', `${V3}/rooms/{room}/event/{event}`),
  row('markers', 'GET', ROOM_DATA, {
    check: ({ type = '' }) =>
      /^(?:m\.fully_read|m\.marked_unread|com\.famedly\.marked_unread)$/.test(type) ? null : 'account data',
  }),
  row('tags', 'GET', ROOM_DATA, { check: ({ type = '' }) => (type === 'm.tag' ? null : 'account data') }),
  row('typing', 'PUT', `${V3}/rooms/{room}/typing/{self}`, {
    body: plainBody({ typing: 'flag', timeout: 'number' }),
  }),
  row('tags', 'GET', TAGS),
  row('tags', 'PUT', `${TAGS}/{tag}`, { check: tagFault, body: plainBody({ order: 'number' }) }),
  row('tags', 'DELETE', `${TAGS}/{tag}`, { check: tagFault }),
  row('account-data', 'GET', DATA, { check: dataFault }),
  row('account-data', 'PUT', DATA, { check: dataFault, body: anyContent }),
  row('account-data', 'GET', ROOM_DATA, { check: dataFault }),
  row('account-data', 'PUT', ROOM_DATA, { check: dataFault, body: anyContent }),
  row('push-rules', 'GET', `${RULES}/`),
  row('notifications', 'GET', `${V3}/notifications`, {
    query: { from: opaque, limit: count, only: word('highlight') },
  }),
  row('notifications', 'GET', THREAD, { check: eventHere }),
  row('notifications', 'GET', `${V3}/rooms/{room}/event/{event}`),
  row('notifications', 'GET', '/_matrix/client/unstable/io.element.msc4308/thread_subscriptions', {
    query: { from: opaque, to: opaque, limit: count, dir: word('b', 'f') },
  }),
  row('profile', 'PUT', `${V3}/profile/{self}/{field}`, {
    check: fieldFault,
    body: (body, { field = '' }) => plainBody({ [field]: 'text' })(body),
  }),
  row('profile', 'DELETE', `${V3}/profile/{self}/{field}`, { check: fieldFault }),
  row('presence', 'GET', `${V3}/presence/{user}/status`),
  row('presence', 'PUT', `${V3}/presence/{self}/status`, {
    body: plainBody({ presence: 'text', status_msg: 'text' }),
  }),
  row('directory', 'POST', `${V3}/user_directory/search`, {
    body: plainBody({ search_term: 'text', limit: 'number' }),
  }),
  row('directory', 'GET', `${V3}/publicRooms`, { query: { limit: count, since: opaque } }),
  row('directory', 'POST', `${V3}/publicRooms`, {
    body: plainBody({ limit: 'number', since: 'text', filter: 'object' }),
  }),
  row(SHOWN, 'GET', `${V1}/media/download/${FILE}`, { query: media, check: mediaFault }),
  row(SHOWN, 'GET', `${V1}/media/thumbnail/${FILE}`, { query: picture, check: mediaFault }),
  row('media', 'GET', `${V3}/rooms/{room}/messages`, {
    query: { dir: word('b'), limit: count, from: opaque, filter: word('{"contains_url":true}') },
  }),
  row('media', 'GET', `${V3}/rooms/{room}/state/m.room.avatar`, { query: { format: word('event') } }),
  row('media', 'GET', `${V3}/rooms/{room}/joined_members`),
  row('media-any', 'GET', `${V1}/media/preview_url`, {
    query: { url: (value) => value.startsWith('http'), ts: count },
  }),
  row('upload', 'POST', '/_matrix/media/v3/upload', { raw: true }),
  row('upload', 'POST', '/_matrix/media/v1/create'),
  row('upload', 'PUT', `/_matrix/media/v3/upload/${FILE}`, { raw: true }),
];

function threadBody(
  body: Readonly<Record<string, unknown>>,
  { room = '' }: Readonly<Record<string, string>>,
): string | null {
  const fault = plainBody({ thread_id: 'text' })(body);
  const thread = body['thread_id'];
  if (fault !== null || thread === undefined || thread === 'main') return fault;
  return typeof thread === 'string' ? eventFault(thread, room) : 'a thread that is none';
}

function markersBody(
  body: Readonly<Record<string, unknown>>,
  { room = '' }: Readonly<Record<string, string>>,
  { scope }: Bounds,
): string | null {
  for (const [key, event] of Object.entries(body)) {
    const needs = /^m\.(?:fully_read|read\.private)$/.test(key)
      ? 'markers'
      : key === 'm.read'
        ? 'receipts'
        : null;
    if (needs === null || !holds(scope, needs)) return `${key}, which is not granted`;
    if (typeof event !== 'string' || eventFault(event, room) !== null) return 'an event of another room';
  }
  return null;
}
