import type { RoomId } from '../../../domain/ids.ts';
import type { Kind } from '../json-shape.ts';
import type { ReadableTypes } from '../readable-types.ts';

/**
 * What may be shown of one JSON value, as data. Two interpreters read it: `project.ts` over parsed JSON and
 * `bytes/` over the bytes. A key that no rule names is not shown.
 */
export type Rule =
  | Kind
  | TextRule
  | ObjectRule
  | ListRule
  | MapRule
  | EventRule
  | RoomsRule
  | DataRule
  | AnyRule;

/** One key of an object. */
export type Field = {
  readonly rule: Rule;
  /** Nothing of the object is shown without it. */
  readonly required?: true;
  /** The whole answer is invalid where it is there and of another JSON type. */
  readonly strict?: true;
  /** What is written where it is missing, or (unless `strict`) of another JSON type. */
  readonly otherwise?: unknown;
  /** Not looked at where this other key is there too. */
  readonly unless?: string;
  /** There is news in the room when it is `true`. */
  readonly newsIfTrue?: true;
  /** Looked at, and not shown. */
  readonly hidden?: true;
};

/** An object with these keys. */
export type ObjectRule = {
  readonly kind: 'object';
  readonly fields: Readonly<Record<string, Field | Kind>>;
  /** Not shown where nothing is left in it. */
  readonly nonEmpty?: true;
  /** There is news in the room when anything is left in it. */
  readonly news?: true;
  /** May be of any size: the byte filter reads it piece by piece. Only within others that are streamed. */
  readonly streamed?: true;
};

/** A list; what does not fit is left out. */
export type ListRule = {
  readonly kind: 'list';
  readonly of: Rule;
  readonly nonEmpty?: true;
  /** There is news in the room when anything is left in it. */
  readonly news?: true;
  /** There is news in the room when it has such a value, shown or not. */
  readonly newsIf?: { readonly test: (value: unknown) => boolean; readonly mention: string };
  readonly streamed?: true;
};

/** An object whose keys are ids. */
export type MapRule = {
  readonly kind: 'map';
  readonly keys: (key: string) => boolean;
  readonly of: Rule;
  readonly nonEmpty?: true;
};

/** A string that passes the test. */
export type TextRule = { readonly kind: 'text'; readonly test: (text: string) => boolean };

/** An event of the room, or stripped state: another room's, or one of a type that is not read, is left out. */
export type EventRule = {
  readonly kind: 'event';
  /** Whether it must say which room it is in, or what stands around it does. */
  readonly roomId: 'in-event' | 'around-event';
  readonly readable: ReadableTypes;
  readonly fields: ObjectRule['fields'];
  /** Whether the media that it refers to counts as shown. */
  readonly media: boolean;
};

/** Rooms by id: those in scope. */
export type RoomsRule = {
  readonly kind: 'rooms';
  readonly of: ObjectRule;
  /** Left out where there is no news in the room, unless empty rooms are wanted. */
  readonly onlyWithNews: boolean;
};

/** Account data. What is shown depends on the rooms in scope, so it is parsed when those are known. */
export type DataRule = {
  readonly kind: 'data';
  readonly mayRead: (type: string) => boolean;
  readonly project: (type: string, content: unknown, rooms: ReadonlySet<RoomId>) => unknown;
};

/** The first of these that fits. */
export type AnyRule = { readonly kind: 'any'; readonly of: readonly Rule[] };

/** An object that is shown as far as these keys fit. */
export function object(
  fields: ObjectRule['fields'],
  more: Omit<ObjectRule, 'kind' | 'fields'> = {},
): ObjectRule {
  return { kind: 'object', fields, ...more };
}

/** A list of what fits. */
export function list(of: Rule, more: Omit<ListRule, 'kind' | 'of'> = {}): ListRule {
  return { kind: 'list', of, ...more };
}
