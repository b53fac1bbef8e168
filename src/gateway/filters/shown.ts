import { MintwardenError } from '../../domain/errors.ts';
import type { RoomId } from '../../domain/ids.ts';
import type { Answer } from '../answer.ts';

/**
 * Makes the holder's answer from the homeserver's. Builds anew from what it knows: a key or a section it
 * does not know is not in the answer.
 * @param rooms the rooms in scope at this moment
 * @throws MintwardenError `homeserver-nonsense` where the answer is not what the specification says
 */
export type AnswerFilter = (body: unknown, rooms: ReadonlySet<RoomId>) => Answer;

/** An object of JSON. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether the value is a JSON object. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function nonsense(what: string): MintwardenError {
  return new MintwardenError('homeserver-nonsense', `The homeserver's answer has no proper ${what}.`);
}

/** The value as an object. @throws MintwardenError `homeserver-nonsense` */
export function needObject(value: unknown, what: string): JsonObject {
  if (isObject(value)) return value;
  throw nonsense(what);
}

/** The value as a list. @throws MintwardenError `homeserver-nonsense` */
export function needList(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value as unknown[];
  throw nonsense(what);
}

/** The value as text. @throws MintwardenError `homeserver-nonsense` */
export function needText(value: unknown, what: string): string {
  if (typeof value === 'string') return value;
  throw nonsense(what);
}

/** The value as an object, where there is one. @throws MintwardenError `homeserver-nonsense` for anything else that is there */
export function maybeObject(value: unknown, what: string): JsonObject {
  return value === undefined ? {} : needObject(value, what);
}

/** The value as a list, where there is one. @throws MintwardenError `homeserver-nonsense` for anything else that is there */
export function maybeList(value: unknown, what: string): readonly unknown[] {
  return value === undefined ? [] : needList(value, what);
}

/** Which type a key must have to be shown. */
export type Shape = Readonly<Record<string, 'text' | 'count' | 'flag' | 'object' | 'texts'>>;

const FITS = {
  text: (value: unknown) => typeof value === 'string',
  count: (value: unknown) => typeof value === 'number' && Number.isSafeInteger(value),
  flag: (value: unknown) => typeof value === 'boolean',
  object: isObject,
  texts: (value: unknown) => Array.isArray(value) && value.every((inner) => typeof inner === 'string'),
} as const;

/** The keys of the shape, where they have its type; nothing else. */
export function pick(source: JsonObject, shape: Shape): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const key of Object.keys(shape)) {
    const kind = shape[key];
    if (kind !== undefined && Object.hasOwn(source, key) && FITS[kind](source[key])) out[key] = source[key];
  }
  return out;
}
