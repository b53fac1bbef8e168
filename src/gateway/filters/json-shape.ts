import { isObject, type JsonObject } from '../../domain/json.ts';
import { MintwardenError, unreachable } from '../../domain/errors.ts';

export { isObject, type JsonObject };

/** The answer is not what the specification says. */
export function invalidResponse(what: string): MintwardenError {
  return new MintwardenError('homeserver-invalid-response', `The homeserver's answer has no proper ${what}.`);
}

/** The value as an object. @throws MintwardenError `homeserver-invalid-response` */
export function requireObject(value: unknown, what: string): JsonObject {
  if (isObject(value)) return value;
  throw invalidResponse(what);
}

/** The value as a list. @throws MintwardenError `homeserver-invalid-response` */
export function requireArray(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value as unknown[];
  throw invalidResponse(what);
}

/** The value as text. @throws MintwardenError `homeserver-invalid-response` */
export function requireString(value: unknown, what: string): string {
  if (typeof value === 'string') return value;
  throw invalidResponse(what);
}

/**
 * The value as an object, where there is one. @throws MintwardenError `homeserver-invalid-response` for anything else
 * that is there
 */
export function optionalObject(value: unknown, what: string): JsonObject {
  return value === undefined ? {} : requireObject(value, what);
}

/**
 * The value as a list, where there is one. @throws MintwardenError `homeserver-invalid-response` for anything else
 * that is there
 */
export function optionalArray(value: unknown, what: string): readonly unknown[] {
  return value === undefined ? [] : requireArray(value, what);
}

/** The type that a value must have to be shown. */
export type Kind = 'text' | 'count' | 'flag' | 'object' | 'texts';

/** Which type a key must have to be shown. */
export type Shape = Readonly<Record<string, Kind>>;

/** Whether the value has this type. */
export function fits(kind: Kind, value: unknown): boolean {
  switch (kind) {
    case 'text':
      return typeof value === 'string';
    case 'count':
      return Number.isSafeInteger(value);
    case 'flag':
      return typeof value === 'boolean';
    case 'object':
      return isObject(value);
    case 'texts':
      return Array.isArray(value) && value.every((inner) => typeof inner === 'string');
    default:
      return unreachable(kind);
  }
}

/** Looked at for every event: the keys of a shape are listed once. */
const KEYS = new WeakMap<Shape, readonly (readonly [key: string, kind: Kind])[]>();

function keysOf(shape: Shape): readonly (readonly [key: string, kind: Kind])[] {
  const known = KEYS.get(shape);
  if (known !== undefined) return known;
  const keys = Object.entries(shape);
  KEYS.set(shape, keys);
  return keys;
}

/** The keys of the shape, where they have its type; nothing else. */
export function pick(source: JsonObject, shape: Shape): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [key, kind] of keysOf(shape)) {
    const value = source[key];
    if (value !== undefined && fits(kind, value) && Object.hasOwn(source, key)) out[key] = value;
  }
  return out;
}
