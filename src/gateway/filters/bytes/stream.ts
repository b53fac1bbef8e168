/* oxlint-disable max-lines -- one state machine: its steps share what is in the middle of being read */
import { invalidResponse } from '../json-shape.ts';
import type { ListRule } from '../shapes/rule.ts';
import { type CompiledField, type CompiledRule, findField, OPS } from './compile.ts';
import { MAX_PARSED_BYTES, TOO_DEEP } from './content.ts';
import type { Frame, StreamHooks } from './frame.ts';
import { type Items, MAX_ITEM_BYTES } from './items.ts';
import { NOTHING, OTHER_TYPE, SHOWN, type Status } from './status.ts';
import type { Output } from './output.ts';
import {
  CLOSE_LIST,
  CLOSE_OBJECT,
  COMMA,
  NEED_MORE,
  OPEN_LIST,
  OPEN_OBJECT,
  type Scanner,
} from './scanner.ts';
import type { Skip } from './skip.ts';

/** Before this, it is tried again with each piece. */
const EAGER_BYTES = 16_384;

/** Reads an answer piece by piece: opens what is streamed, and has what is not filtered as one item each. */
export class Stream {
  isDone = false;
  #isSkipping = false;
  #wanted = 0;
  /** Where the item that is being read begins; -1: none is. */
  #itemStart = -1;
  #itemMark = 0;
  #itemField: CompiledField | null = null;
  readonly #frames: Frame[] = [];
  readonly #scan: Scanner;
  readonly #out: Output;
  readonly #skip: Skip;
  readonly #items: Items;
  #root: CompiledRule | null = null;
  readonly #hooks: StreamHooks | null;
  #rootStatus: Status = NOTHING;

  constructor(parts: { scan: Scanner; out: Output; skip: Skip; items: Items }, hooks: StreamHooks | null) {
    this.#scan = parts.scan;
    this.#out = parts.out;
    this.#skip = parts.skip;
    this.#items = parts.items;
    this.#hooks = hooks;
  }

  /** Starts with another answer. */
  start(root: CompiledRule): void {
    this.#root = root;
    this.isDone = false;
    this.#isSkipping = false;
    this.#frames.length = 0;
  }

  /** What became of the whole; once it is done. */
  get status(): Status {
    return this.#rootStatus;
  }

  /** The input has moved: what was to be passed on in one piece is in two. */
  moved(): void {
    for (const frame of this.#frames) frame.from = -1;
  }

  /** Reads as far as the bytes go. @throws MintwardenError `homeserver-invalid-response` */
  run(): void {
    const scan = this.#scan;
    if (scan.end - scan.pos < this.#wanted) return;
    this.#wanted = 0;
    for (;;) {
      const { pos } = scan;
      const mark = this.#out.position();
      try {
        if (this.#isSkipping) {
          this.#skip.run();
          this.#isSkipping = false;
          continue;
        }
        const frame = this.#frames.at(-1);
        if (frame !== undefined) this.#step(frame);
        else if (this.isDone) return this.#tail();
        else this.#open();
      } catch (error) {
        if (error !== NEED_MORE) throw error;
        if (this.#isSkipping) return;
        if (this.#itemStart >= 0 && scan.end - this.#itemStart > MAX_ITEM_BYTES) {
          this.#leave(this.#itemStart);
          continue;
        }
        scan.pos = pos;
        this.#out.truncate(mark);
        const left = scan.end - pos;
        this.#wanted = left < EAGER_BYTES ? 0 : left * 2;
        return;
      }
    }
  }

  /** There are no more bytes. */
  finish(): void {
    this.#wanted = 0;
    this.run();
  }

  #tail(): void {
    const scan = this.#scan;
    scan.space();
    if (scan.pos < scan.end) throw invalidResponse('JSON');
  }

  #open(): void {
    const scan = this.#scan;
    const byte = scan.space();
    if (scan.pos >= scan.end) throw NEED_MORE;
    const root = this.#root;
    if (root === null || byte !== (root.op === OPS.list ? OPEN_LIST : OPEN_OBJECT))
      throw invalidResponse('answer');
    this.#push(root, null, this.#out.position(), this.#hooks !== null);
  }

  #push(rule: CompiledRule, field: CompiledField | null, mark: number, isSilent: boolean): void {
    const { pos } = this.#scan;
    if (!isSilent) this.#out.span(pos, pos + 1);
    this.#scan.pos = pos + 1;
    const frame = {
      rule,
      field,
      mark,
      isSilent,
      isStarted: false,
      count: 0,
      seen: 0,
      shown: 0,
      from: pos + 1,
    };
    this.#frames.push(frame);
    if (rule.op === OPS.list) this.#hooks?.onList(frame, false);
  }

  #step(frame: Frame): void {
    this.#itemStart = -1;
    if (frame.rule.op === OPS.list) this.#element(frame);
    else if (frame.rule.op === OPS.rooms) this.#room(frame);
    else this.#member(frame);
  }

  /** Goes to the next member or element. @returns whether there is one */
  #next(frame: Frame, close: number): boolean {
    const scan = this.#scan;
    const byte = scan.space();
    if (byte === close) {
      scan.pos++;
      return false;
    }
    if (!frame.isStarted) return true;
    if (byte !== COMMA) throw scan.fault(scan.pos);
    scan.pos++;
    scan.space();
    return true;
  }

  #member(frame: Frame): void {
    const scan = this.#scan;
    const out = this.#out;
    if (!this.#next(frame, CLOSE_OBJECT)) return this.#closeObject(frame);
    const key = scan.pos;
    scan.string();
    const field = scan.isEscaped
      ? (frame.rule.fields.find((one) => one.key === scan.value(key, scan.pos)) ?? null)
      : findField(scan, frame.rule, key + 1, scan.pos - 1);
    const byte = scan.colon();
    if (field === null) return this.#skipValue(frame);
    // Readers of JSON disagree about which one counts.
    if ((frame.seen & field.bit) !== 0) throw invalidResponse('keys');
    const isStreamed = field.rule.streamed || field.rule.op === OPS.rooms;
    const opens = byte === (field.rule.op === OPS.list ? OPEN_LIST : OPEN_OBJECT);
    if (isStreamed && !opens && field.strict) throw invalidResponse(field.key);
    const isOfRoom = this.#isRoom(frame);
    if (isOfRoom && this.#hooks?.beforeField(frame, field) === false) {
      frame.seen |= field.bit;
      return this.#skipValue(frame);
    }
    const start = scan.pos;
    const mark = out.position();
    if (!frame.isSilent) {
      if (frame.from >= 0 && field.unless === null) out.span(frame.from, start);
      else {
        if (frame.count > 0) out.byte(COMMA);
        out.span(key, start);
      }
    }
    if (isStreamed && opens) {
      frame.seen |= field.bit;
      frame.isStarted = true;
      const isSilent = frame.isSilent && (field.rule.op === OPS.rooms || field.key === 'rooms');
      return this.#push(field.rule, field, mark, isSilent);
    }
    const status = this.#item(field.rule, field, mark);
    frame.seen |= field.bit;
    if (status === SHOWN && field.newsIfTrue && scan.buf[start] === 0x74) this.#items.room.news = true;
    this.#finish(frame, field, status, mark);
  }

  #isRoom(frame: Frame): boolean {
    return this.#hooks !== null && frame === this.#frames[ROOM_LEVEL];
  }

  #skipValue(frame: Frame): void {
    frame.isStarted = true;
    frame.from = -1;
    this.#skip.begin();
    this.#isSkipping = true;
  }

  #item(rule: CompiledRule, field: CompiledField | null, mark: number): Status {
    const start = this.#scan.pos;
    this.#itemStart = start;
    this.#itemField = field;
    this.#itemMark = mark;
    try {
      return this.#items.item(rule);
    } catch (error) {
      if (error !== TOO_DEEP) throw error;
      this.#scan.pos = start;
      this.#skip.begin();
      this.#isSkipping = true;
      return NOTHING;
    }
  }

  /** Leaves out an item that is larger than any that can be right. */
  #leave(start: number): void {
    const frame = this.#frames.at(-1) as Frame;
    this.#scan.pos = start;
    this.#out.truncate(this.#itemMark);
    if (this.#itemField === null) frame.from = -1;
    else {
      frame.seen |= this.#itemField.bit;
      this.#finish(frame, this.#itemField, NOTHING, this.#itemMark);
    }
    this.#skipValue(frame);
  }

  /** A member of an object is read. */
  #finish(frame: Frame, field: CompiledField, status: Status, mark: number): void {
    if (status === OTHER_TYPE && field.strict) throw invalidResponse(field.key);
    frame.isStarted = true;
    if (status === SHOWN) frame.shown |= field.bit;
    if (status === SHOWN && !field.isDeferred) {
      frame.count++;
      frame.from = field.unless === null ? this.#scan.pos : -1;
    } else {
      this.#out.truncate(mark);
      frame.from = -1;
    }
    if (frame.isSilent) this.#hooks?.onSilent(field, status, mark);
    else if (this.#isRoom(frame)) this.#hooks?.afterField(field, mark);
  }

  #closeObject(frame: Frame): void {
    const { rule } = frame;
    const isRoom = this.#isRoom(frame);
    if (!frame.isSilent) this.#writeDefaults(frame);
    let status: Status = SHOWN;
    if ((frame.shown & rule.requiredBits) !== rule.requiredBits) status = NOTHING;
    else if (rule.nonEmpty && frame.count === 0) status = NOTHING;
    else if (rule.news && frame.count > 0) this.#items.room.news = true;
    // A room is written together with its account data, in the end.
    if (isRoom) this.#hooks?.afterRoom();
    else if (!frame.isSilent) this.#writeEnd(frame, CLOSE_OBJECT);
    this.#pop(frame, status);
  }

  #writeDefaults(frame: Frame): void {
    for (const field of frame.rule.fields) {
      if (field.otherwise === null || field.isDeferred || (frame.shown & field.bit) !== 0) continue;
      const { unless } = field;
      if (
        unless !== null &&
        frame.rule.fields.some((one) => one.key === unless && (frame.seen & one.bit) !== 0)
      )
        continue;
      if (frame.count > 0) this.#out.byte(COMMA);
      this.#out.bytes(field.otherwise);
      frame.count++;
      frame.from = -1;
      this.#hooks?.onDefault(field);
    }
  }

  #writeEnd(frame: Frame, close: number): void {
    if (frame.from >= 0) this.#out.span(frame.from, this.#scan.pos);
    else this.#out.byte(close);
  }

  #pop(frame: Frame, status: Status): void {
    this.#frames.pop();
    const parent = this.#frames.at(-1);
    if (parent === undefined) {
      this.#rootStatus = status;
      this.isDone = true;
    } else if (frame.field === null) parent.isStarted = true;
    else this.#finish(parent, frame.field, status, frame.mark);
  }

  #element(frame: Frame): void {
    const scan = this.#scan;
    const { rule } = frame;
    if (!this.#next(frame, CLOSE_LIST)) {
      const status = rule.nonEmpty && frame.count === 0 ? NOTHING : SHOWN;
      this.#hooks?.onList(frame, true);
      this.#writeEnd(frame, CLOSE_LIST);
      return this.#pop(frame, status);
    }
    if (scan.pos >= scan.end) throw NEED_MORE;
    const start = scan.pos;
    const mark = this.#out.position();
    if (frame.from >= 0) this.#out.span(frame.from, start);
    else if (frame.count > 0) this.#out.byte(COMMA);
    const of = rule.of as CompiledRule;
    const status = this.#item(of, null, mark);
    frame.isStarted = true;
    this.#noteNews(rule, start);
    if (status === SHOWN) {
      frame.count++;
      frame.from = scan.pos;
      if (rule.news && of.op !== OPS.data) this.#items.room.news = true;
    } else {
      this.#out.truncate(mark);
      frame.from = -1;
    }
  }

  #noteNews(rule: CompiledRule, start: number): void {
    const { newsIf } = rule.rule as ListRule;
    if (newsIf === undefined || this.#items.room.news || this.#isSkipping) return;
    const { pos, buf } = this.#scan;
    if (pos - start > MAX_PARSED_BYTES || !buf.subarray(start, pos).includes(newsIf.mention)) return;
    if (newsIf.test(JSON.parse(this.#scan.text(start, pos)))) this.#items.room.news = true;
  }

  #room(frame: Frame): void {
    const scan = this.#scan;
    if (!this.#next(frame, CLOSE_OBJECT)) return this.#pop(frame, SHOWN);
    const key = scan.pos;
    scan.string();
    const roomId = scan.value(key, scan.pos);
    const json = Buffer.from(scan.buf.subarray(key, scan.pos));
    const isObject = scan.colon() === OPEN_OBJECT;
    const section = frame.field?.key ?? '';
    if (this.#hooks?.beforeRoom(section, roomId, json, isObject) !== true) return this.#skipValue(frame);
    frame.isStarted = true;
    this.#push(frame.rule.of as CompiledRule, null, this.#out.position(), false);
  }
}

/** The answer, its rooms, a section of rooms, a room. */
const ROOM_LEVEL = 3;
