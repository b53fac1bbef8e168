import { MintwardenError } from '../../../../src/domain/errors.ts';
import type { RoomId } from '../../../../src/domain/ids.ts';
import type { Scope } from '../../../../src/domain/scope.ts';
import { roomsMissingCreate, addCreateEvents } from '../../../../src/gateway/filter-worker/create-events.ts';
import { parseUpstreamJson } from '../../../../src/gateway/filter-worker/parse-upstream-json.ts';
import { byteFilter } from '../../../../src/gateway/filters/bytes/byte-filter.ts';
import { isObject, type JsonObject } from '../../../../src/gateway/filters/json-shape.ts';
import { type MediaReference, addMediaReferences } from '../../../../src/domain/media-reference.ts';
import { readableTypesOf } from '../../../../src/gateway/filters/readable-types.ts';
import { roomFilter } from '../../../../src/gateway/filters/room.ts';
import type { RoomAnswer } from '../../../../src/gateway/filters/shapes/room.ts';
import { filterSync, roomIdsInSync } from '../../../../src/gateway/filters/sync.ts';
import { ALICE } from '../../support/grants.ts';

/** One answer to be filtered in both ways. */
export type Case = {
  readonly kind: RoomAnswer | 'sync';
  readonly bytes: Buffer;
  readonly pieces: readonly Buffer[];
  readonly scope: Scope;
  readonly roomId: string;
  readonly rooms: ReadonlySet<RoomId>;
  /** Whether every room could come into scope. */
  readonly canGrow: boolean;
  readonly whole: boolean;
  readonly creates: ReadonlyMap<string, JsonObject>;
};

/** What is shown of an answer; null: nothing, since it is invalid (502) or hidden (404). */
type Shown = {
  readonly body: unknown;
  readonly references: readonly MediaReference[];
  readonly news: boolean;
  readonly missingCreate: readonly string[];
  readonly roomIds: readonly string[];
} | null;

/** How the byte filter's answer compares; `laxer` must never be. */
export type Verdict = 'equal' | 'nothing' | 'stricter' | 'rejected' | 'laxer';

/** What comparing came to. */
export type Comparison = {
  readonly verdict: Verdict;
  readonly tree: Shown;
  readonly bytes: Shown;
  /** Why the byte filter rejects the answer. */
  readonly reason: string;
};

/** Filters in both ways and compares. @throws what is neither an answer nor a refusal */
export function compare(one: Case): Comparison {
  let reason = '';
  const tree = shownOrNothing(
    () => byTree(one),
    () => undefined,
  );
  const bytes = shownOrNothing(
    () => byBytes(one),
    (why) => (reason = why),
  );
  return { verdict: verdictOf(tree, bytes), tree, bytes, reason };
}

function verdictOf(tree: Shown, bytes: Shown): Verdict {
  if (bytes === null) return tree === null ? 'nothing' : 'rejected';
  if (tree === null) return 'laxer';
  if (canonical(tree) === canonical(bytes)) return 'equal';
  const isWithin =
    within(bytes.body, tree.body) &&
    bytes.references.every((one) => tree.references.some((other) => canonical(one) === canonical(other))) &&
    (!bytes.news || tree.news);
  return isWithin ? 'stricter' : 'laxer';
}

function shownOrNothing(run: () => Shown, onInvalid: (why: string) => void): Shown {
  try {
    return run();
  } catch (error) {
    if (error instanceof MintwardenError && error.code === 'homeserver-invalid-response') {
      onInvalid(error.message.replace(/^.* proper (.*)\.$/, '$1'));
      return null;
    }
    throw error;
  }
}

function byTree({ kind, bytes, scope, roomId, rooms, whole, creates }: Case): Shown {
  const parsed = parseUpstreamJson(bytes);
  if (parsed === undefined) return null;
  const references: MediaReference[] = [];
  if (kind === 'sync') {
    const { body, news } = filterSync(parsed, rooms, whole, { subject: ALICE, scope });
    const missingCreate = roomsMissingCreate(body, whole, ALICE);
    const shown = rewritten(
      addCreateEvents(body, new Map([...creates].filter(([id]) => missingCreate.includes(id)))),
    );
    referencesInSync(shown, references);
    return {
      body: shown,
      references: sorted(references),
      news,
      missingCreate,
      roomIds: [...new Set(roomIdsInSync(parsed))].toSorted(),
    };
  }
  const answer = roomFilter(kind, roomId, readableTypesOf(scope))(parsed, rooms);
  if (answer.status !== 200) return null;
  const shown = rewritten(answer.body);
  for (const event of eventsIn(shown)) addMediaReferences(event, roomId as RoomId, references);
  return { body: shown, references: sorted(references), news: true, missingCreate: [], roomIds: [] };
}

function eventsIn(shown: unknown): readonly unknown[] {
  if (Array.isArray(shown)) return shown as unknown[];
  return ['chunk', 'state', 'event', 'events_before', 'events_after'].flatMap(
    (name) => (shown as JsonObject)[name] ?? [],
  );
}

function referencesInSync(body: unknown, found: MediaReference[]): void {
  const rooms = (body as { rooms: Record<string, JsonObject> }).rooms;
  for (const section of [rooms['join'], rooms['leave']])
    for (const [roomId, room] of Object.entries(section ?? {}))
      for (const part of ['timeline', 'state', 'state_after']) {
        const given = (room as JsonObject)[part];
        if (isObject(given))
          for (const event of given['events'] as unknown[])
            addMediaReferences(event, roomId as RoomId, found);
      }
}

function byBytes({ kind, pieces, scope, roomId, rooms, canGrow, whole, creates }: Case): Shown {
  const filter = byteFilter(
    kind === 'sync'
      ? {
          kind,
          view: { subject: ALICE, scope },
          mayShow: canGrow ? () => true : (id) => rooms.has(id as RoomId),
        }
      : { kind, roomId, readable: readableTypesOf(scope) },
  );
  for (const piece of pieces) filter.push(piece);
  filter.end();
  if (kind !== 'sync') {
    const result = filter.result();
    if (result === null) return null;
    return {
      body: JSON.parse(result.bytes.toString()),
      references: sorted(result.references),
      news: true,
      missingCreate: [],
      roomIds: [],
    };
  }
  const sync = filter.sync(rooms, whole);
  const { pieces: written, references } = sync.write(
    new Map([...creates].filter(([id]) => sync.missingCreate.includes(id))),
  );
  return {
    body: JSON.parse(Buffer.concat(written).toString()),
    references: sorted(references),
    news: sync.news,
    missingCreate: sync.missingCreate,
    roomIds: [...new Set(filter.roomIds)].toSorted(),
  };
}

/** As it reaches the holder. */
function rewritten(body: unknown): unknown {
  return JSON.parse(JSON.stringify(body));
}

function sorted(references: readonly MediaReference[]): MediaReference[] {
  return [...new Map(references.map((one) => [canonical(one), one])).entries()]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, one]) => one);
}

/** JSON with its keys in order. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`).join(',')}}`;
}

/** Whether there is nothing in it that is not in the other: lists in their order, with gaps. */
function within(given: unknown, of: unknown): boolean {
  if (Array.isArray(given)) {
    if (!Array.isArray(of)) return false;
    let at = 0;
    for (const one of given as unknown[]) {
      while (at < of.length && !within(one, of[at])) at++;
      if (at++ >= of.length) return false;
    }
    return true;
  }
  if (!isObject(given)) return Object.is(given, of);
  return (
    isObject(of) && Object.keys(given).every((key) => Object.hasOwn(of, key) && within(given[key], of[key]))
  );
}
