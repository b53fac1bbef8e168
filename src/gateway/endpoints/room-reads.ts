import { isObject } from '../../domain/json.ts';
import { eventsInLists, joinedAsEvents } from '../filters/events-in.ts';
import { nameOf } from '../../domain/permission.ts';
import { allows } from '../../domain/scope.ts';
import { typeAllowed } from '../../domain/scope-checks.ts';
import { type GatewayResponse, FORBIDDEN, missingCapability } from '../http/response.ts';
import { aliases, timestampToEvent, roomSummaryFilter } from '../filters/room-related.ts';
import {
  encryptionAlgorithm,
  singleEventFilter,
  joinedMembers,
  roomFilter,
  stateEventFilter,
} from '../filters/room.ts';
import type { RoomAnswer } from '../filters/shapes/room.ts';
import { type ReadableTypes, readableTypesOf } from '../filters/readable-types.ts';
import { eventFilter, flag, instant, limit, oneOf, token } from '../rewrite/query-rules.ts';
import type { ForwardEndpoint, Endpoint } from '../request/endpoint.ts';
import type { Call } from '../http/call.ts';

const ROOM = '/_matrix/client/v3/rooms/{roomId}';
const ROOM_V1 = '/_matrix/client/v1/rooms/{roomId}';
const UNSTABLE = '/_matrix/client/unstable';
const MEMBERSHIP = oneOf('join', 'invite', 'leave', 'ban', 'knock');
/** Where events stand in answers; each list holds nothing else. */
const inLists =
  (...names: readonly string[]) =>
  (body: unknown): unknown[] =>
    eventsInLists(body, names);
const inChunk = inLists('chunk', 'state');
const wholeBody = (body: unknown): unknown[] => [body];
/** Whoever sets state could make its bare content look like an event. */
const ifEvent = (body: unknown, { query }: Pick<Call, 'query'>): unknown[] =>
  query.get('format') === 'event' ? [body] : [];
const roomOf = (call: Call) => call.params['roomId'] ?? '';
/** Which room's events are shown, and of which types. */
const roomAndTypes = (call: Call): [roomId: string, readable: ReadableTypes] => [
  roomOf(call),
  readableTypesOf(call.access.grant.scope),
];

type Rest = Pick<
  ForwardEndpoint,
  | 'filter'
  | 'formOf'
  | 'overBytes'
  | 'why'
  | 'shown'
  | 'query'
  | 'queryDefaults'
  | 'maskNotFound'
  | 'aliases'
  | 'source'
  | 'authorize'
  | 'eventsIn'
  | 'check'
  | 'byType'
>;

/** What all reads of one room have in common. */
function read(id: string, below: string, rest: Rest, version: 'v3' | 'v1' = 'v3'): Endpoint {
  const paths = [`/_matrix/client/{v}/rooms/{roomId}/${below}`];
  const to = `${version === 'v3' ? ROOM : ROOM_V1}/${below}`;
  return { id, kind: 'forward', methods: ['GET'], paths, needs: 'read', room: 'path', to, ...rest };
}

/** The filters of an answer that is a list of events. */
const listOf = (kind: RoomAnswer) => ({
  overBytes: kind,
  filter: (call: Call) => roomFilter(kind, ...roomAndTypes(call)),
});

/** A page is of the types that are read, whether the holder says so or not. */
const events = {
  byType: 'filtered',
  queryDefaults: ({ access }: Call): Readonly<Record<string, string>> =>
    readableTypesOf(access.grant.scope).all ? {} : { filter: '{}' },
} as const;
const state = { format: oneOf('content', 'event') };
const TOLD_SENDERS =
  'With `send` but not `read`, `m.room.encryption` is answered with the algorithm only: some clients ask before each message, and a refused message reveals it anyway.';

/** One piece of state with an empty key. */
const ofEmptyKey = {
  eventsIn: ifEvent,
  byType: 'filtered',
  query: state,
  authorize: (call: Call) => (asksToSend(call) ? null : lackingType(call)),
  filter: (call: Call) =>
    lackingType(call) === null
      ? stateEventFilter(...roomAndTypes(call), call.query.get('format'))
      : encryptionAlgorithm,
  shown: 'the content or the event; without `read` only the algorithm',
} as const;

/**
 * Why state of the named type may not be read; null: it may. State that may not be read and state that does not
 * exist get the same answer, and the homeserver is not asked.
 */
function lackingType({ access, params }: Call): GatewayResponse | null {
  const { scope } = access.grant;
  if (typeAllowed(scope, 'read', params['eventType'] ?? '')) return null;
  return allows(scope, 'read') ? FORBIDDEN : missingCapability('read');
}

function asksToSend({ access, params, query }: Call): boolean {
  return (
    params['eventType'] === 'm.room.encryption' &&
    query.get('format') !== 'event' &&
    access.grant.scope.can.some((permission) => nameOf(permission) === 'send')
  );
}

/** Reading a room as a member of it does. */
export const ROOM_READS: readonly Endpoint[] = [
  read('getRoomEvents', 'messages', {
    eventsIn: inChunk,
    query: { from: token, to: token, dir: oneOf('b', 'f'), limit, filter: eventFilter },
    ...events,
    ...listOf('messages'),
    shown: 'events of this room, with bundled relations',
    why: 'The timeline; every event must state that it belongs to this room.',
  }),
  read('getRoomState', 'state', {
    eventsIn: (body) => (Array.isArray(body) ? (body as unknown[]) : []),
    byType: 'filtered',
    ...listOf('state'),
    shown: 'state events of this room',
    why: 'The whole state; every event must state that it belongs to this room.',
  }),
  read('getRoomStateByType', 'state/{eventType}', {
    ...ofEmptyKey,
    formOf: 'getRoomStateWithKey',
    source: 'synapse',
    why: `State with an empty key. ${TOLD_SENDERS}`,
  }),
  read('getRoomStateByTypeSlash', 'state/{eventType}/', {
    ...ofEmptyKey,
    formOf: 'getRoomStateWithKey',
    source: 'synapse',
    why: `State with an empty key, with a trailing slash. ${TOLD_SENDERS}`,
  }),
  read('getRoomStateWithKey', 'state/{eventType}/{stateKey}', {
    eventsIn: ifEvent,
    byType: 'filtered',
    query: state,
    authorize: lackingType,
    filter: (call) => stateEventFilter(...roomAndTypes(call), call.query.get('format')),
    shown: 'the content or the event',
    why: 'One state event.',
  }),
  read('getMembersByRoom', 'members', {
    eventsIn: inChunk,
    query: { at: token, membership: MEMBERSHIP, not_membership: MEMBERSHIP },
    byType: ['m.room.member'],
    ...listOf('members'),
    shown: 'member events of this room',
    why: 'Member events of this room.',
  }),
  read('getJoinedMembersByRoom', 'joined_members', {
    eventsIn: joinedAsEvents,
    byType: ['m.room.member'],
    filter: () => joinedMembers,
    shown: 'user IDs, names, avatars',
    why: 'Who is in the room.',
  }),
  read('getOneRoomEvent', 'event/{eventId}', {
    eventsIn: wholeBody,
    byType: 'filtered',
    filter: (call) => singleEventFilter(...roomAndTypes(call)),
    maskNotFound: true,
    shown: 'the event, if it belongs to this room',
    why: 'One event, if it belongs to this room; whether other events exist is not revealed.',
  }),
  read('getEventContext', 'context/{eventId}', {
    eventsIn: (body) => [
      ...(isObject(body) ? [body['event']] : []),
      ...eventsInLists(body, ['events_before', 'events_after', 'state']),
    ],
    query: { limit, filter: eventFilter },
    ...events,
    ...listOf('context'),
    maskNotFound: true,
    shown: 'the event and those around it, if they belong to this room',
    why: 'The context of an event of this room; Synapse alone would load it from any room.',
  }),
  ...(
    [
      ['getRelatingEvents', 'relations/{eventId}'],
      ['getRelatingEventsWithRelType', 'relations/{eventId}/{relType}'],
      ['getRelatingEventsWithRelTypeAndEventType', 'relations/{eventId}/{relType}/{eventType}'],
    ] as const
  ).map(([id, below]) =>
    read(
      id,
      below,
      {
        eventsIn: inChunk,
        query: { from: token, to: token, dir: oneOf('b', 'f'), limit, recurse: flag },
        byType: 'filtered',
        check: (call) => (call.params['eventType'] === undefined ? null : lackingType(call)),
        ...listOf('relations'),
        maskNotFound: true,
        shown: 'related events of this room',
        why: 'Thread replies, reactions, edits; an event of another room has none here.',
      },
      'v1',
    ),
  ),
  read(
    'getThreadRoots',
    'threads',
    {
      aliases: [`${UNSTABLE}/org.matrix.msc3856/rooms/{roomId}/threads`],
      eventsIn: inChunk,
      query: { include: oneOf('all', 'participated'), from: token, limit },
      byType: 'filtered',
      ...listOf('threads'),
      shown: 'thread roots of this room, with their latest events',
      why: 'The threads of a room are part of its timeline.',
    },
    'v1',
  ),
  read(
    'getEventByTimestamp',
    'timestamp_to_event',
    {
      aliases: [`${UNSTABLE}/org.matrix.msc3030/rooms/{roomId}/timestamp_to_event`],
      query: { ts: instant, dir: oneOf('f', 'b') },
      filter: () => timestampToEvent,
      maskNotFound: true,
      shown: 'an event’s ID and time',
      why: 'Finds a point in the timeline; the event itself is requested in its room.',
    },
    'v1',
  ),
  read('getLocalAliases', 'aliases', {
    aliases: [`${UNSTABLE}/org.matrix.msc2432/rooms/{roomId}/aliases`],
    filter: () => aliases,
    shown: 'aliases of this room',
    why: 'A room’s own aliases.',
  }),
  {
    id: 'getRoomSummary',
    kind: 'forward',
    methods: ['GET'],
    paths: ['/_matrix/client/{v}/room_summary/{roomId}'],
    aliases: [
      `${UNSTABLE}/im.nheko.summary/summary/{roomId}`,
      `${UNSTABLE}/im.nheko.summary/rooms/{roomId}/summary`,
    ],
    needs: 'read',
    room: 'path',
    to: '/_matrix/client/v1/room_summary/{roomId}',
    filter: (call) => roomSummaryFilter(roomOf(call)),
    shown: 'name, topic, avatar, counts, join rule; of the rooms whose members may join, those in scope',
    why: 'A summary of the room’s state. Only by ID, because an alias could lead anywhere.',
  },
];
