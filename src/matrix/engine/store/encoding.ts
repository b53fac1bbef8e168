/**
 * Stored values as text: JSON, in which every object is `{ "t": type, "v": payload }` so that nothing is
 * ambiguous. It covers what IndexedDB keys can be and what the engine stores; any other value is refused.
 * A change of this format is a new `FORMAT_VERSION`.
 */
export const FORMAT_VERSION = 1;

type Json = string | number | boolean | null | Json[] | { t: string; v: Json | Record<string, Json> };

/**
 * The text of a key or value. @throws TypeError for what the format does not cover (functions, blobs, class
 * instances).
 */
export function encode(value: unknown): string {
  return JSON.stringify(toJson(value));
}

/** The inverse of `encode`. @throws SyntaxError or TypeError when the text is not one it made. */
export function decode(text: string): unknown {
  return fromJson(JSON.parse(text) as Json);
}

function toJson(value: unknown): Json {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : { t: 'number', v: Object.is(value, -0) ? '-0' : String(value) };
    case 'undefined':
      return { t: 'undefined', v: null };
    case 'bigint':
      return { t: 'bigint', v: String(value) };
    case 'object':
      return value === null ? null : objectToJson(value);
    case 'function':
    case 'symbol':
    default:
      throw new TypeError(`A ${typeof value} cannot be stored.`);
  }
}

function objectToJson(value: object): Json {
  if (Array.isArray(value)) return Array.from(value, toJson);
  if (value instanceof Date) return { t: 'date', v: toJson(value.getTime()) };
  if (value instanceof ArrayBuffer) return { t: 'buffer', v: base64(new Uint8Array(value)) };
  if (value instanceof Uint8Array) return { t: 'bytes', v: base64(value) };
  if (value instanceof Map) return { t: 'map', v: [...value].map((pair) => pair.map(toJson)) };
  if (value instanceof Set) return { t: 'set', v: [...value].map(toJson) };
  const prototype: unknown = Object.getPrototypeOf(value);
  // A structured clone's plain object may come from another realm, whose Object.prototype has no prototype
  // either.
  if (prototype === null || Object.getPrototypeOf(prototype) === null) {
    return {
      t: 'object',
      v: Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toJson(item)])),
    };
  }
  throw new TypeError(`A ${value.constructor.name} cannot be stored.`);
}

function fromJson(json: Json): unknown {
  if (json === null || typeof json !== 'object') return json;
  if (Array.isArray(json)) return json.map(fromJson);
  const { t, v } = json;
  switch (t) {
    case 'number':
      return Number(v);
    case 'undefined':
      return undefined;
    case 'bigint':
      return BigInt(v as string);
    case 'date':
      return new Date(fromJson(v as Json) as number);
    case 'buffer':
      return Uint8Array.from(Buffer.from(v as string, 'base64')).buffer;
    case 'bytes':
      return Uint8Array.from(Buffer.from(v as string, 'base64'));
    case 'map':
      return new Map((v as [Json, Json][]).map(([key, item]) => [fromJson(key), fromJson(item)]));
    case 'set':
      return new Set((v as Json[]).map(fromJson));
    case 'object':
      return Object.fromEntries(
        Object.entries(v as Record<string, Json>).map(([key, item]) => [key, fromJson(item)]),
      );
    default:
      throw new TypeError(`The store holds a value of unknown type "${t}".`);
  }
}

const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
