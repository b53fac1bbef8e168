import type { RoomId } from '../../domain/ids.ts';
import type { GatewayResponse } from '../http/response.ts';
import type { Call } from '../http/call.ts';
import type { JsonObject } from '../filters/json-shape.ts';
import type { AnswerFilter } from '../filters/answer-filter.ts';
import type { RoomTask } from '../filters/bytes/byte-filter.ts';
import { ok } from '../http/response.ts';
import { filterSearch } from '../filters/search.ts';
import { readableTypesOf } from '../filters/readable-types.ts';
import type { ReadView } from '../filters/read-view.ts';
import { roomIdsInSync, filterSync } from '../filters/sync.ts';
import { roomsMissingCreate, addCreateEvents } from './create-events.ts';

/** What is to be shown of a homeserver's answer, as plain data that another thread can be given. */
export type FilterTask =
  | {
      readonly kind: 'endpoint';
      readonly endpointId: string;
      readonly call: Call;
      /** The rules for its bytes, if there are any. */
      readonly overBytes: RoomTask['kind'] | undefined;
    }
  | { readonly kind: 'sync'; readonly view: ReadView }
  | { readonly kind: 'search'; readonly view: ReadView };

/** What was made of an answer. */
export type FilterSummary = {
  /** Of a `/sync`: where it goes on, and whether there is anything in it. */
  readonly nextBatch: string;
  readonly news: boolean;
  /** Of a `/sync`: the rooms that lack their create event. */
  readonly missingCreate: readonly string[];
};

/**
 * An answer of the homeserver, read, that is shown in steps: which rooms it speaks of; then, with the rooms
 * in scope known, what is left of it; then as it is written. Small ones are read in place, large ones in
 * another thread, by the same functions.
 * Each step throws MintwardenError `homeserver-invalid-response` where the answer is not what the specification says.
 */
export interface FilterJob {
  roomIds(): readonly string[] | Promise<readonly string[]>;
  /** @param whole keeps the rooms of a `/sync` that have nothing in them */
  filter(rooms: ReadonlySet<RoomId>, whole: boolean): FilterSummary | Promise<FilterSummary>;
  /** @param creates create events to add to a `/sync`, by room */
  response(creates: ReadonlyMap<string, JsonObject>): GatewayResponse | Promise<GatewayResponse>;
  /** Nothing more is asked of it. */
  release(): void;
}

/** A filter job in place. */
export type LocalFilterJob = {
  roomIds(): readonly string[];
  filter(rooms: ReadonlySet<RoomId>, whole: boolean): FilterSummary;
  response(creates: ReadonlyMap<string, JsonObject>): GatewayResponse;
  release(): void;
};

/** Of answers that are no `/sync`. */
export const UNSUMMARIZED: FilterSummary = Object.freeze({ nextBatch: '', news: true, missingCreate: [] });

/** Reads an answer with an endpoint's own filter. */
export function endpointFilterJob(
  body: unknown,
  filter: AnswerFilter,
  roomsIn: ((body: unknown) => readonly string[]) | null,
): LocalFilterJob {
  let shown: GatewayResponse | null = null;
  return {
    roomIds: () => roomsIn?.(body) ?? [],
    filter(rooms) {
      shown = filter(body, rooms);
      return UNSUMMARIZED;
    },
    response: () => shown ?? ok({}),
    release: () => undefined,
  };
}

/** Reads an answer of `/search`. */
export function searchFilterJob(body: unknown, { scope }: ReadView): LocalFilterJob {
  const readable = readableTypesOf(scope);
  return endpointFilterJob(body, (given, rooms) => ok(filterSearch(given, rooms, readable)), null);
}

/** Reads a `/sync`. */
export function syncFilterJob(body: unknown, view: ReadView): LocalFilterJob {
  let shown: JsonObject = {};
  return {
    roomIds: () => roomIdsInSync(body),
    filter(rooms, whole) {
      const sync = filterSync(body, rooms, whole, view);
      shown = sync.body;
      return {
        nextBatch: sync.nextBatch,
        news: sync.news,
        missingCreate: roomsMissingCreate(shown, whole, view.subject),
      };
    },
    response: (creates) => ok(addCreateEvents(shown, creates)),
    release: () => undefined,
  };
}
