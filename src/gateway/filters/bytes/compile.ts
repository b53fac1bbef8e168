import { unreachable } from '../../../domain/errors.ts';
import { fieldsOf } from '../project.ts';
import type { EventRule, Field, ObjectRule, Rule } from '../shapes/rule.ts';
import type { Scanner } from './scanner.ts';

/** What a field of an event says of it. */
export const ROLES = {
  type: 1,
  room_id: 2,
  sender: 3,
  state_key: 4,
  origin_server_ts: 5,
  content: 6,
} as const;

/** A field, ready to be found by the bytes of its key. */
export type CompiledField = {
  readonly key: string;
  readonly bytes: Buffer;
  readonly bit: number;
  readonly rule: CompiledRule;
  readonly required: boolean;
  readonly strict: boolean;
  readonly hidden: boolean;
  readonly newsIfTrue: boolean;
  /** Key and value as they are written where it is missing. */
  readonly otherwise: Buffer | null;
  readonly role: number;
  /** Account data: written in the end. */
  readonly isDeferred: boolean;
  /** The field in whose presence this one is not looked at. */
  readonly unless: string | null;
};

/** What kind of rule it is, as a number: faster to switch over than a word. */
export const OPS = {
  text: 0,
  count: 1,
  flag: 2,
  texts: 3,
  content: 4,
  object: 5,
  event: 6,
  list: 7,
  map: 8,
  any: 9,
  data: 10,
  rooms: 11,
} as const;

/** A rule, ready to be held against bytes. */
export type CompiledRule = {
  readonly op: (typeof OPS)[keyof typeof OPS];
  readonly rule: Rule;
  readonly fields: readonly CompiledField[];
  /** The fields by the length of their key. */
  readonly byLength: readonly (readonly CompiledField[] | undefined)[];
  readonly requiredBits: number;
  readonly hasDefaults: boolean;
  readonly of: CompiledRule | null;
  readonly options: readonly CompiledRule[];
  readonly streamed: boolean;
  readonly nonEmpty: boolean;
  readonly news: boolean;
};

const known = new WeakMap<object, CompiledRule>();
const SIMPLE = new Map<Rule, CompiledRule>();

/** The rule compiled; the same object for the same rule. */
export function compile(rule: Rule): CompiledRule {
  if (typeof rule === 'string') {
    let simple = SIMPLE.get(rule);
    if (simple === undefined)
      SIMPLE.set(rule, (simple = { ...EMPTY_RULE, op: OPS[rule === 'object' ? 'content' : rule], rule }));
    return simple;
  }
  const before = known.get(rule);
  if (before !== undefined) return before;
  const compiled = { ...EMPTY_RULE, op: OPS[rule.kind], rule };
  known.set(rule, compiled); // first: events have events in them
  switch (rule.kind) {
    case 'object':
    case 'event':
      Object.assign(compiled, compiledFields(rule));
      break;
    case 'list':
    case 'map':
    case 'rooms':
      compiled.of = compile(rule.of);
      break;
    case 'any':
      compiled.options = rule.of.map(compile);
      break;
    case 'text':
    case 'data':
      break;
    default:
      return unreachable(rule);
  }
  const { streamed = false, nonEmpty = false, news = false } = rule as Partial<ObjectRule>;
  return Object.assign(compiled, { streamed, nonEmpty, news });
}

const EMPTY_RULE: Omit<CompiledRule, 'of' | 'options'> & {
  of: CompiledRule | null;
  options: readonly CompiledRule[];
} = {
  op: OPS.text,
  rule: 'text',
  fields: [],
  byLength: [],
  requiredBits: 0,
  hasDefaults: false,
  of: null,
  options: [],
  streamed: false,
  nonEmpty: false,
  news: false,
};

function compiledFields(
  rule: ObjectRule | EventRule,
): Pick<CompiledRule, 'fields' | 'byLength' | 'requiredBits' | 'hasDefaults'> {
  const entries = fieldsOf(rule.fields);
  if (entries.length > 30) throw new RangeError('too many fields for one object');
  const fields = entries.map(([key, field], at) => compiledField(key, field, 1 << at, rule.kind === 'event'));
  const byLength: CompiledField[][] = [];
  for (const field of fields) (byLength[field.bytes.length] ??= []).push(field);
  const requiredBits = fields.reduce((bits, field) => bits | (field.required ? field.bit : 0), 0);
  return { fields, byLength, requiredBits, hasDefaults: fields.some(({ otherwise }) => otherwise !== null) };
}

function compiledField(key: string, field: Field, bit: number, inEvent: boolean): CompiledField {
  return {
    key,
    bytes: Buffer.from(key),
    bit,
    rule: compile(field.rule),
    required: field.required ?? false,
    strict: field.strict ?? false,
    hidden: field.hidden ?? false,
    newsIfTrue: field.newsIfTrue ?? false,
    otherwise:
      field.otherwise === undefined
        ? null
        : Buffer.from(`${JSON.stringify(key)}:${JSON.stringify(field.otherwise)}`),
    isDeferred: isDeferred(field.rule),
    role: inEvent && Object.hasOwn(ROLES, key) ? ROLES[key as keyof typeof ROLES] : 0,
    unless: field.unless ?? null,
  };
}

/** Whether it is a section of account data. */
function isDeferred(rule: Rule): boolean {
  const events = typeof rule === 'object' && rule.kind === 'object' ? rule.fields['events'] : undefined;
  const of = typeof events === 'object' ? events.rule : undefined;
  return typeof of === 'object' && of.kind === 'list' && typeof of.of === 'object' && of.of.kind === 'data';
}

/** The field that has this key. */
export function findField(
  scan: Scanner,
  rule: CompiledRule,
  start: number,
  end: number,
): CompiledField | null {
  const candidates = rule.byLength[end - start];
  if (candidates === undefined) return null;
  for (const field of candidates) if (scan.has(field.bytes, start)) return field;
  return null;
}
