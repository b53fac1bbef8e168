import { isObject } from '../json-shape.ts';
import { MAX_REFERENCES, type MediaReference, mediaReferencesIn } from '../media-references.ts';
import { contextOf, EMPTY, MISFIT, project } from '../project.ts';
import { MAX_NESTED_EVENTS } from '../shapes/event.ts';
import type { DataRule, EventRule, MapRule, TextRule } from '../shapes/rule.ts';
import { type CompiledField, type CompiledRule, ROLES } from './compile.ts';
import { Content, MAX_DEPTH, MAX_PARSED_BYTES, TOO_DEEP } from './content.ts';
import type { Output } from './output.ts';
import { CLOSE_LIST, CLOSE_OBJECT, COMMA, OPEN_LIST, OPEN_OBJECT, QUOTE, type Scanner } from './scanner.ts';
import type { Skip } from './skip.ts';

/** What became of a value. As `project` says it, `OTHER_TYPE` is its `MISFIT`, `NOTHING` its `EMPTY`. */
export const SHOWN = 0;
export const NOTHING = 1;
export const OTHER_TYPE = 2;
export type Status = typeof SHOWN | typeof NOTHING | typeof OTHER_TYPE;

/** Thrown where a reader of JSON has to decide: the value is parsed and projected instead. */
const TO_TREE: Error = Object.freeze(new Error('to be parsed'));

const NO_STRING = -1;
const ROLE_COUNT = 7;
const CREATE = Buffer.from('"m.room.create"');
const MEMBER = Buffer.from('"m.room.member"');

/** What is known of the room whose events are read, and what was seen in them. */
export type RoomEvents = {
  roomId: string;
  /** The room id as a JSON string. */
  roomIdJson: Buffer;
  /** Whose membership is looked for; null: nobody's, nor the create event. */
  subjectJson: Buffer | null;
  hasCreate: boolean;
  hasOwnMember: boolean;
  news: boolean;
  references: MediaReference[];
  /** Account data, to be projected when the rooms in scope are known. */
  data: Buffer[];
};

/**
 * Filters values that are in memory whole: events, and all that is small. What `project` would show of a
 * value is written, or less: never more.
 */
export class Items {
  room: RoomEvents;
  /** How much account data may still be kept. */
  dataBytesLeft = 0;
  readonly #scan: Scanner;
  readonly #out: Output;
  readonly #skip: Skip;
  readonly #content: Content;
  #depth = 0;
  /** Where the fields that say something of an event stand, by how deep it is in others. */
  readonly #roles = new Int32Array((MAX_NESTED_EVENTS + 1) * ROLE_COUNT * 2);
  readonly #media: (ReadonlySet<string> | null)[] = [];

  constructor(scan: Scanner, out: Output, skip: Skip, room: RoomEvents) {
    this.#scan = scan;
    this.#out = out;
    this.#skip = skip;
    this.#content = new Content(scan, out);
    this.room = room;
  }

  /** Filters the value at the scanner's position. @throws NEED_MORE, TOO_DEEP */
  item(rule: CompiledRule): Status {
    const scan = this.#scan;
    const start = scan.pos;
    const mark = this.#out.position();
    const references = this.room.references.length;
    this.#depth = 0;
    try {
      return this.#value(rule);
    } catch (error) {
      this.room.references.length = references;
      if (error !== TO_TREE) throw error;
      this.#out.truncate(mark);
      scan.pos = start;
      return this.#throughTree(rule, start);
    }
  }

  #throughTree(rule: CompiledRule, start: number): Status {
    const scan = this.#scan;
    this.#skip.whole();
    if (scan.pos - start > MAX_PARSED_BYTES || this.#skip.deepest > MAX_DEPTH) return NOTHING;
    const { roomId, references } = this.room;
    const context = contextOf(roomId);
    const shown = project(rule.rule, JSON.parse(scan.text(start, scan.pos)), context);
    if (shown === MISFIT) return OTHER_TYPE;
    if (shown === EMPTY) return NOTHING;
    if (rule.kind === 'event' && isObject(shown)) {
      if ((rule.rule as EventRule).media) mediaReferencesIn(shown, roomId, references);
      if (shown['type'] === 'm.room.create') this.room.hasCreate = true;
      if (
        shown['type'] === 'm.room.member' &&
        this.room.subjectJson?.toString() === JSON.stringify(shown['state_key'])
      )
        this.room.hasOwnMember = true;
    }
    if (context.news) this.room.news = true;
    this.#out.bytes(Buffer.from(JSON.stringify(shown)));
    return SHOWN;
  }

  #value(rule: CompiledRule): Status {
    const scan = this.#scan;
    const byte = scan.buf[scan.pos] as number;
    switch (rule.kind) {
      case 'object':
        return byte === OPEN_OBJECT ? this.#object(rule) : this.#misfit();
      case 'event':
        return byte === OPEN_OBJECT ? this.#event(rule) : this.#misfit();
      case 'list':
        return byte === OPEN_LIST ? this.#list(rule) : this.#misfit();
      case 'map':
        return byte === OPEN_OBJECT ? this.#map(rule) : this.#misfit();
      case 'any':
        return this.#any(rule);
      case 'data':
        return byte === OPEN_OBJECT ? this.#data(rule.rule as DataRule) : this.#misfit();
      default:
        return this.#simple(rule, byte);
    }
  }

  #misfit(): Status {
    this.#skip.whole();
    return OTHER_TYPE;
  }

  #simple(rule: CompiledRule, byte: number): Status {
    const scan = this.#scan;
    const start = scan.pos;
    switch (rule.kind) {
      case 'text':
        if (byte !== QUOTE) return this.#misfit();
        scan.string();
        if (typeof rule.rule !== 'string' && !(rule.rule as TextRule).test(scan.value(start, scan.pos)))
          return OTHER_TYPE;
        break;
      case 'count':
        if (byte !== 0x2d && (byte < 0x30 || byte > 0x39)) return this.#misfit();
        scan.number();
        return this.#count(start, scan.pos);
      case 'flag':
        if (byte !== 0x74 && byte !== 0x66) return this.#misfit();
        scan.literal();
        break;
      case 'texts':
        if (byte !== OPEN_LIST) return this.#misfit();
        return this.#texts();
      default:
        throw new TypeError(`no such rule: ${rule.kind}`);
    }
    this.#out.span(start, scan.pos);
    return SHOWN;
  }

  #count(start: number, end: number): Status {
    if (end - start <= 15 && !this.#scan.isOddNumber) {
      let digits = true;
      for (let at = start + 1; at < end; at++) if (this.#scan.buf[at] === 0x2e) digits = false;
      if (digits) {
        this.#out.span(start, end);
        return SHOWN;
      }
    }
    const value = Number(this.#scan.text(start, end));
    if (!Number.isSafeInteger(value)) return OTHER_TYPE;
    this.#out.bytes(Buffer.from(JSON.stringify(value)));
    return SHOWN;
  }

  #texts(): Status {
    const scan = this.#scan;
    const start = scan.pos;
    this.#skip.whole();
    const { pos } = scan;
    // Once it is known to be JSON, what begins with a quote ends with one.
    scan.pos = start + 1;
    for (let byte = scan.space(); byte !== CLOSE_LIST; byte = scan.space()) {
      if (byte === COMMA) scan.pos++;
      else if (byte === QUOTE) scan.string();
      else {
        scan.pos = pos;
        return OTHER_TYPE;
      }
    }
    scan.pos = pos;
    this.#out.span(start, pos);
    return SHOWN;
  }

  #event(rule: CompiledRule): Status {
    if (this.#depth > MAX_NESTED_EVENTS) {
      this.#skip.whole();
      return NOTHING;
    }
    const base = this.#depth * ROLE_COUNT * 2;
    this.#roles.fill(NO_STRING, base, base + ROLE_COUNT * 2);
    this.#media[this.#depth] = null;
    const references = this.room.references.length;
    this.#depth++;
    const status = this.#object(rule);
    this.#depth--;
    if (
      status !== SHOWN ||
      (this.#at(base, ROLES.room_id) < 0 && (rule.rule as EventRule).roomId === 'in-event')
    ) {
      this.room.references.length = references;
      return NOTHING;
    }
    this.#note(base);
    return status;
  }

  /** Where a field of an event begins, or less than 0. */
  #at(base: number, role: number): number {
    return this.#roles[base + role * 2] as number;
  }

  #text(base: number, role: number): string {
    return this.#scan.value(
      this.#at(base, role),
      this.#at(base, role) + (this.#roles[base + role * 2 + 1] as number),
    );
  }

  /** Remembers what an event that is shown means. */
  #note(base: number): void {
    const { room } = this;
    const media = this.#media[this.#depth] ?? null;
    if (media !== null) {
      const hasKey = this.#at(base, ROLES.state_key) >= 0;
      const at = this.#at(base, ROLES.origin_server_ts);
      const common = {
        roomId: room.roomId,
        type: this.#text(base, ROLES.type),
        sender: this.#text(base, ROLES.sender),
        stateKey: hasKey ? this.#text(base, ROLES.state_key) : null,
        at:
          at < 0
            ? null
            : Number(
                this.#scan.text(at, at + (this.#roles[base + ROLES.origin_server_ts * 2 + 1] as number)),
              ),
      };
      for (const uri of media)
        if (room.references.length < MAX_REFERENCES) room.references.push({ uri, ...common });
    }
    if (room.subjectJson === null || this.#depth > 0) return;
    if (this.#is(CREATE, base, ROLES.type)) room.hasCreate = true;
    else if (this.#is(MEMBER, base, ROLES.type) && this.#is(room.subjectJson, base, ROLES.state_key))
      room.hasOwnMember = true;
  }

  /** Whether a field of an event is this string. */
  #is(json: Buffer, base: number, role: number): boolean {
    const start = this.#at(base, role);
    if (start < 0) return false;
    if (this.#scan.has(json, start)) return true;
    const end = start + (this.#roles[base + role * 2 + 1] as number);
    return (
      this.#scan.isEscapedBetween(start, end) && JSON.stringify(this.#text(base, role)) === json.toString()
    );
  }

  /** An object or event: its members that have a field are passed on as they are, the others left out. */
  #object(rule: CompiledRule): Status {
    const scan = this.#scan;
    const out = this.#out;
    /** From where on the input can be passed on in one piece; -1: something was left out just before. */
    let from = scan.pos;
    let count = 0;
    let seen = 0;
    let shown = 0;
    let isDropped = false;
    scan.pos++;
    out.span(from, scan.pos);
    from = scan.pos;
    if (scan.space() !== CLOSE_OBJECT) {
      for (;;) {
        const key = scan.pos;
        scan.string();
        if (scan.isEscaped) throw TO_TREE;
        const field = isDropped ? null : findField(scan, rule, key + 1, scan.pos - 1);
        scan.colon();
        if (field === null) {
          this.#skip.whole();
          from = -1;
        } else {
          if ((seen & field.bit) !== 0) throw TO_TREE;
          seen |= field.bit;
          const mark = out.position();
          const start = scan.pos;
          if (from >= 0) out.span(from, start);
          else {
            if (count > 0) out.byte(COMMA);
            out.span(key, start);
          }
          const status = this.#field(rule, field);
          if (status === SHOWN && field.role !== 0 && !this.#keepRole(rule, field.role, start))
            isDropped = true;
          if (status === SHOWN && !field.hidden) {
            count++;
            from = scan.pos;
          } else {
            out.truncate(mark);
            from = -1;
          }
          if (status === SHOWN) shown |= field.bit;
          else if (field.required || field.role === ROLES.room_id) isDropped = true;
        }
        const next = scan.space();
        scan.pos++;
        if (next === CLOSE_OBJECT) break;
        if (next !== COMMA) throw scan.fault(scan.pos - 1);
        scan.space();
      }
    } else scan.pos++;
    if (isDropped || (shown & rule.requiredBits) !== rule.requiredBits) return NOTHING;
    if (rule.hasDefaults) {
      for (const field of rule.fields) {
        if (field.otherwise === null || (shown & field.bit) !== 0) continue;
        if (count > 0) out.byte(COMMA);
        out.bytes(field.otherwise);
        count++;
        from = -1;
      }
    }
    if (rule.nonEmpty && count === 0) return NOTHING;
    if (rule.news && count > 0) this.room.news = true;
    if (from >= 0) out.span(from, scan.pos);
    else out.byte(CLOSE_OBJECT);
    return SHOWN;
  }

  #field(rule: CompiledRule, field: CompiledField): Status {
    if (field.rule.kind !== 'content') return this.#value(field.rule);
    const scan = this.#scan;
    if (scan.buf[scan.pos] !== OPEN_OBJECT) return this.#misfit();
    const isContent = field.role === ROLES.content && (rule.rule as EventRule).media;
    if (!this.#content.pass(isContent)) return OTHER_TYPE;
    if (isContent) this.#media[this.#depth - 1] = this.#content.media;
    return SHOWN;
  }

  /** Remembers a field of an event. @returns whether the event can be shown, as far as this field says it */
  #keepRole(rule: CompiledRule, role: number, start: number): boolean {
    const scan = this.#scan;
    const at = (this.#depth - 1) * ROLE_COUNT * 2 + role * 2;
    this.#roles[at] = start;
    this.#roles[at + 1] = scan.pos - start;
    if (role === ROLES.type) {
      const { readable } = rule.rule as EventRule;
      return readable.all || readable.has(scan.value(start, scan.pos));
    }
    if (role !== ROLES.room_id) return true;
    const { roomIdJson, roomId } = this.room;
    if (scan.pos - start === roomIdJson.length && scan.has(roomIdJson, start)) return true;
    return scan.value(start, scan.pos) === roomId;
  }

  #list(rule: CompiledRule): Status {
    const scan = this.#scan;
    const out = this.#out;
    const of = rule.of as CompiledRule;
    let from = scan.pos + 1;
    let count = 0;
    out.span(scan.pos, from);
    scan.pos = from;
    if (scan.space() !== CLOSE_LIST) {
      for (;;) {
        const mark = out.position();
        const start = scan.pos;
        if (from >= 0) out.span(from, start);
        else if (count > 0) out.byte(COMMA);
        if (this.#value(of) === SHOWN) {
          count++;
          from = scan.pos;
        } else {
          out.truncate(mark);
          from = -1;
        }
        const next = scan.space();
        scan.pos++;
        if (next === CLOSE_LIST) break;
        if (next !== COMMA) throw scan.fault(scan.pos - 1);
        scan.space();
      }
    } else scan.pos++;
    if (rule.nonEmpty && count === 0) return NOTHING;
    if (from >= 0) out.span(from, scan.pos);
    else out.byte(CLOSE_LIST);
    return SHOWN;
  }

  #map(rule: CompiledRule): Status {
    const scan = this.#scan;
    const out = this.#out;
    const { keys } = rule.rule as MapRule;
    const seen = new Set<string>();
    let from = scan.pos + 1;
    let count = 0;
    out.span(scan.pos, from);
    scan.pos = from;
    if (scan.space() !== CLOSE_OBJECT) {
      for (;;) {
        const key = scan.pos;
        scan.string();
        const text = scan.value(key, scan.pos);
        scan.colon();
        const start = scan.pos;
        const mark = out.position();
        let status: Status = NOTHING;
        if (keys(text)) {
          if (seen.has(text)) throw TO_TREE;
          seen.add(text);
          if (from >= 0) out.span(from, start);
          else {
            if (count > 0) out.byte(COMMA);
            out.span(key, start);
          }
          status = this.#value(rule.of as CompiledRule);
        } else this.#skip.whole();
        if (status === SHOWN) {
          count++;
          from = scan.pos;
        } else {
          out.truncate(mark);
          from = -1;
        }
        const next = scan.space();
        scan.pos++;
        if (next === CLOSE_OBJECT) break;
        if (next !== COMMA) throw scan.fault(scan.pos - 1);
        scan.space();
      }
    } else scan.pos++;
    if (rule.nonEmpty && count === 0) return NOTHING;
    if (from >= 0) out.span(from, scan.pos);
    else out.byte(CLOSE_OBJECT);
    return SHOWN;
  }

  #any(rule: CompiledRule): Status {
    const { pos } = this.#scan;
    const mark = this.#out.position();
    for (const option of rule.options) {
      this.#scan.pos = pos;
      if (this.#value(option) === SHOWN) return SHOWN;
      this.#out.truncate(mark);
    }
    return NOTHING;
  }

  /** Keeps account data that may be read, as it is. What a reader of JSON would make of it is asked later. */
  #data(rule: DataRule): Status {
    const scan = this.#scan;
    const start = scan.pos;
    this.#skip.whole();
    const { pos } = scan;
    if (pos - start > MAX_DATA_BYTES || pos - start > this.dataBytesLeft || this.#skip.deepest > MAX_DEPTH)
      return NOTHING;
    const type = this.#plainType(start);
    scan.pos = pos;
    if (type !== null && !rule.mayRead(type)) return NOTHING;
    this.dataBytesLeft -= pos - start;
    this.room.data.push(Buffer.from(scan.buf.subarray(start, pos)));
    return SHOWN;
  }

  /** The `type` of an object that is known to be JSON; null where readers could disagree about it. */
  #plainType(start: number): string | null {
    const scan = this.#scan;
    let type: string | null = null;
    scan.pos = start + 1;
    for (let byte = scan.space(); byte !== CLOSE_OBJECT; byte = scan.space()) {
      if (byte === COMMA) {
        scan.pos++;
        scan.space();
      }
      const key = scan.pos;
      scan.string();
      const isType = scan.pos - key === TYPE.length && scan.has(TYPE, key);
      if (scan.isEscaped || (isType && type !== null)) return null;
      const isText = scan.colon() === QUOTE;
      const at = scan.pos;
      this.#skip.whole();
      if (isType) type = isText ? scan.value(at, scan.pos) : '';
    }
    return type;
  }
}

const TYPE = Buffer.from('"type"');
/** Push rules are a few hundred bytes each. */
const MAX_DATA_BYTES = 262_144;

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

export { TOO_DEEP };
