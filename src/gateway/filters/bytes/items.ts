/* oxlint-disable max-lines -- one interpreter: its rules hold one another */
import { unreachable } from '../../../domain/errors.ts';
import type { RoomId } from '../../../domain/ids.ts';
import { isObject } from '../json-shape.ts';
import { MAX_REFERENCES, addMediaReferences } from '../../../domain/media-reference.ts';
import { contextOf, EMPTY, MISFIT, project } from '../project.ts';
import { MAX_NESTED_EVENTS } from '../shapes/event.ts';
import type { DataRule, EventRule, MapRule } from '../shapes/rule.ts';
import { keptData } from './account-items.ts';
import { type CompiledField, type CompiledRule, findField, OPS, ROLES } from './compile.ts';
import { Content, MAX_DEPTH, MAX_PARSED_BYTES } from './content.ts';
import { EventFacts } from './event-facts.ts';
import type { Output } from './output.ts';
import type { RoomEvents } from './room-events.ts';
import { CLOSE_LIST, CLOSE_OBJECT, COMMA, OPEN_LIST, OPEN_OBJECT, type Scanner } from './scanner.ts';
import { passSimple } from './simple.ts';
import type { Skip } from './skip.ts';
import { NOTHING, OTHER_TYPE, SHOWN, type Status } from './status.ts';

/** Thrown where a reader of JSON has to decide: the value is parsed and projected instead. */
const TO_TREE: Error = Object.freeze(new Error('to be parsed'));

/**
 * Filters values that are in memory whole: events, and all that is small. What `project` would show of a
 * value is written, or less: never more.
 */
export class Items {
  room: RoomEvents;
  /** How much account data may still be kept, and how many references to media. */
  dataBytesLeft = 0;
  referencesLeft = 0;
  readonly #scan: Scanner;
  readonly #out: Output;
  readonly #skip: Skip;
  readonly #content: Content;
  #depth = 0;
  readonly #facts: EventFacts;

  constructor(scan: Scanner, out: Output, skip: Skip, room: RoomEvents) {
    this.#scan = scan;
    this.#out = out;
    this.#skip = skip;
    this.#content = new Content(scan, out);
    this.#facts = new EventFacts(scan);
    this.room = room;
  }

  /** Starts with another answer. */
  start(room: RoomEvents): void {
    this.room = room;
    this.dataBytesLeft = MAX_KEPT_DATA_BYTES;
    this.referencesLeft = MAX_REFERENCES * 2;
  }

  /** Filters the value at the scanner's position. @throws NEED_MORE, TOO_DEEP */
  item(rule: CompiledRule): Status {
    const scan = this.#scan;
    const start = scan.pos;
    const mark = this.#out.position();
    const references = this.room.references.length;
    this.#depth = 0;
    try {
      const status = this.#value(rule);
      if (scan.pos - start <= MAX_ITEM_BYTES) return status;
      this.room.references.length = references;
      return NOTHING;
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
    if (rule.op === OPS.event && isObject(shown)) {
      if ((rule.rule as EventRule).media) addMediaReferences(shown, roomId as RoomId, references);
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
    switch (rule.op) {
      case OPS.object:
        return byte === OPEN_OBJECT ? this.#object(rule) : this.#misfit();
      case OPS.event:
        return byte === OPEN_OBJECT ? this.#event(rule) : this.#misfit();
      case OPS.list:
        return byte === OPEN_LIST ? this.#list(rule) : this.#misfit();
      case OPS.map:
        return byte === OPEN_OBJECT ? this.#map(rule) : this.#misfit();
      case OPS.any:
        return this.#any(rule);
      case OPS.data:
        return byte === OPEN_OBJECT ? this.#data(rule.rule as DataRule) : this.#misfit();
      case OPS.text:
      case OPS.count:
      case OPS.flag:
      case OPS.texts:
        return passSimple(rule, scan, this.#out, this.#skip);
      case OPS.content:
      case OPS.rooms:
        throw new TypeError('not an item');
      default:
        return unreachable(rule.op);
    }
  }

  #misfit(): Status {
    this.#skip.whole();
    return OTHER_TYPE;
  }

  #event(rule: CompiledRule): Status {
    if (this.#depth > MAX_NESTED_EVENTS) {
      this.#skip.whole();
      return NOTHING;
    }
    const depth = this.#depth;
    const references = this.room.references.length;
    this.#facts.begin(depth);
    this.#depth++;
    const status = this.#object(rule);
    this.#depth = depth;
    const needsRoom = (rule.rule as EventRule).roomId === 'in-event';
    if (status !== SHOWN || (needsRoom && !this.#facts.has(depth, ROLES.room_id))) {
      this.room.references.length = references;
      return NOTHING;
    }
    this.referencesLeft -= this.#facts.note(depth, this.room);
    return SHOWN;
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
    for (let more = this.#hasFirst(CLOSE_OBJECT); more; more = this.#hasNext(CLOSE_OBJECT)) {
      const key = scan.pos;
      scan.string();
      if (scan.isEscaped) throw TO_TREE;
      const field = findField(scan, rule, key + 1, scan.pos - 1);
      scan.colon();
      if (field !== null && (seen & field.bit) !== 0) throw TO_TREE;
      if (field !== null) seen |= field.bit;
      if (field === null || isDropped) {
        this.#skip.whole();
        from = -1;
      } else {
        const mark = out.position();
        const start = scan.pos;
        if (from >= 0) out.span(from, start);
        else {
          if (count > 0) out.byte(COMMA);
          out.span(key, start);
        }
        const status = this.#field(rule, field);
        if (status === SHOWN && field.role !== 0 && !this.#keep(rule, field.role, start)) isDropped = true;
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
    }
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
    if (rule.news && count > 0) this.room.news = true;
    return this.#close(rule, count, from, CLOSE_OBJECT);
  }

  #field(rule: CompiledRule, field: CompiledField): Status {
    if (field.rule.op !== OPS.content) return this.#value(field.rule);
    const scan = this.#scan;
    if (scan.buf[scan.pos] !== OPEN_OBJECT) return this.#misfit();
    const isContent =
      field.role === ROLES.content && this.referencesLeft > 0 && (rule.rule as EventRule).media;
    if (!this.#content.pass(isContent)) return OTHER_TYPE;
    if (isContent) this.#facts.setMedia(this.#depth - 1, this.#content.media);
    return SHOWN;
  }

  #keep(rule: CompiledRule, role: number, start: number): boolean {
    return this.#facts.keep(this.#depth - 1, role, start, rule.rule as EventRule, this.room);
  }

  #list(rule: CompiledRule): Status {
    const scan = this.#scan;
    const out = this.#out;
    const of = rule.of as CompiledRule;
    let from = scan.pos + 1;
    let count = 0;
    out.span(scan.pos, from);
    scan.pos = from;
    for (let more = this.#hasFirst(CLOSE_LIST); more; more = this.#hasNext(CLOSE_LIST)) {
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
    }
    return this.#close(rule, count, from, CLOSE_LIST);
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
    for (let more = this.#hasFirst(CLOSE_OBJECT); more; more = this.#hasNext(CLOSE_OBJECT)) {
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
    }
    return this.#close(rule, count, from, CLOSE_OBJECT);
  }

  /** Goes into an object or a list. @returns whether there is anything in it */
  #hasFirst(close: number): boolean {
    const scan = this.#scan;
    if (scan.space() !== close) return true;
    scan.pos++;
    return false;
  }

  /** Goes to the next member or element. @returns whether there is one */
  #hasNext(close: number): boolean {
    const scan = this.#scan;
    const byte = scan.space();
    scan.pos++;
    if (byte === close) return false;
    if (byte !== COMMA) throw scan.fault(scan.pos - 1);
    scan.space();
    return true;
  }

  /** Writes the end of an object or a list. @param from where the input can be passed on in one piece; -1: nowhere */
  #close(rule: CompiledRule, count: number, from: number, close: number): Status {
    if (rule.nonEmpty && count === 0) return NOTHING;
    if (from >= 0) this.#out.span(from, this.#scan.pos);
    else this.#out.byte(close);
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

  #data(rule: DataRule): Status {
    const kept = keptData(rule, this.#scan, this.#skip, this.dataBytesLeft);
    if (kept === null) return NOTHING;
    this.dataBytesLeft -= kept.length;
    this.room.data.push(kept);
    return SHOWN;
  }
}

/** An event with all that is bundled in it is much smaller. Receipts of a room with 10,000 people are about so. */
export const MAX_ITEM_BYTES = 1_048_576;
/** How much account data of one answer is kept until the rooms in scope are known. */
const MAX_KEPT_DATA_BYTES = 1_048_576;
