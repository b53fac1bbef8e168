import type { RoomId } from '../../domain/ids.ts';
import type { Answer } from '../answer.ts';
import type { Call } from '../request/call.ts';
import type { JsonObject } from '../filters/shown.ts';
import type { AnswerFilter } from '../filters/answer-filter.ts';
import { ok } from '../answer.ts';
import { shownSearch } from '../filters/search.ts';
import { readableIn } from '../filters/readable.ts';
import type { Sight } from '../filters/sight.ts';
import { roomsOfSync, shownSync } from '../filters/sync.ts';
import { lackingCreate, withCreateEvents } from './create-events.ts';

/** What is to be shown of a homeserver's answer, as plain data that another thread can be given. */
export type Work =
  | { readonly kind: 'line'; readonly lineId: string; readonly call: Call }
  | { readonly kind: 'sync'; readonly sight: Sight }
  | { readonly kind: 'search'; readonly sight: Sight };

/** What was made of an answer. */
export type Shown = {
  /** Of a `/sync`: where it goes on, and whether there is anything in it. */
  readonly nextBatch: string;
  readonly news: boolean;
  /** Of a `/sync`: the rooms that lack their create event. */
  readonly lacking: readonly string[];
};

/**
 * An answer of the homeserver, read, that is shown in steps: which rooms it speaks of; then, with the rooms
 * in scope known, what is left of it; then as it is written. Small ones are read in place, large ones in
 * another thread, by the same functions.
 * Each step throws MintwardenError `homeserver-nonsense` where the answer is not what the specification says.
 */
export interface Reading {
  spokenOf(): readonly string[] | Promise<readonly string[]>;
  /** @param whole keeps the rooms of a `/sync` that have nothing in them */
  show(rooms: ReadonlySet<RoomId>, whole: boolean): Shown | Promise<Shown>;
  /** @param creates create events to add to a `/sync`, by room */
  answer(creates: ReadonlyMap<string, JsonObject>): Answer | Promise<Answer>;
  /** Nothing more is asked of it. */
  done(): void;
}

/** A reading in place. */
export type ReadingHere = {
  spokenOf(): readonly string[];
  show(rooms: ReadonlySet<RoomId>, whole: boolean): Shown;
  answer(creates: ReadonlyMap<string, JsonObject>): Answer;
  done(): void;
};

const NOTHING: Shown = Object.freeze({ nextBatch: '', news: true, lacking: [] });

/** Reads an answer with a line's own filter. */
export function readingOfLine(
  body: unknown,
  filter: AnswerFilter,
  speaksOf: ((body: unknown) => readonly string[]) | null,
): ReadingHere {
  let shown: Answer | null = null;
  return {
    spokenOf: () => speaksOf?.(body) ?? [],
    show(rooms) {
      shown = filter(body, rooms);
      return NOTHING;
    },
    answer: () => shown ?? ok({}),
    done: () => undefined,
  };
}

/** Reads an answer of `/search`. */
export function readingOfSearch(body: unknown, { scope }: Sight): ReadingHere {
  const readable = readableIn(scope);
  return readingOfLine(body, (given, rooms) => ok(shownSearch(given, rooms, readable)), null);
}

/** Reads a `/sync`. */
export function readingOfSync(body: unknown, sight: Sight): ReadingHere {
  let shown: JsonObject = {};
  return {
    spokenOf: () => roomsOfSync(body),
    show(rooms, whole) {
      const sync = shownSync(body, rooms, whole, sight);
      shown = sync.body;
      return {
        nextBatch: sync.nextBatch,
        news: sync.news,
        lacking: lackingCreate(shown, whole, sight.subject),
      };
    },
    answer: (creates) => ok(withCreateEvents(shown, creates)),
    done: () => undefined,
  };
}
