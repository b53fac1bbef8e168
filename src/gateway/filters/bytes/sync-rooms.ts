import { invalidResponse } from '../json-shape.ts';
import type { CompiledField } from './compile.ts';
import { type RoomEvents, roomEvents } from './room-events.ts';
import { SHOWN, type Status } from './status.ts';
import type { Output } from './output.ts';
import type { Frame, StreamHooks } from './frame.ts';

/** The sections of rooms. */
export const SECTIONS = ['join', 'invite', 'leave', 'knock'] as const;

/** A room of a `/sync`, as far as it is written. */
export type SyncRoom = {
  readonly section: (typeof SECTIONS)[number];
  /** The JSON of its id. */
  readonly key: Buffer;
  readonly isObject: boolean;
  readonly events: RoomEvents;
  readonly start: number;
  /** Its closing bracket is not written yet. */
  end: number;
  /** Where a create event would be written into its state; -1: nowhere. */
  insertAt: number;
  hasState: boolean;
};

/** `state`, in case `state_after` takes its place. */
type StatePart = { readonly events: RoomEvents; readonly isFirst: boolean; start: number; end: number };

/** Collects a `/sync` while it is read: what each room comes to, before the rooms in scope are known. */
export class SyncRooms implements StreamHooks {
  nextBatch = '';
  /** The rooms the subject is in or invited to, by the answer. */
  readonly roomIds: string[] = [];
  readonly rooms = new Map<string, Map<string, SyncRoom>>(SECTIONS.map((section) => [section, new Map()]));
  /** What is the account's own. */
  readonly account = roomEvents('', Buffer.alloc(0), null);
  /** Where the subject's presence is written. */
  presence: readonly [start: number, end: number] | null = null;
  readonly #out: Output;
  readonly #subjectJson: Buffer;
  readonly #mayShow: (roomId: string) => boolean;
  readonly #setEvents: (events: RoomEvents) => void;
  #room: SyncRoom | null = null;
  #part = '';
  #state: StatePart | null = null;

  /**
   * @param mayShow whether a room could be in scope in the end
   * @param setEvents told for which room events are read next
   */
  constructor(
    out: Output,
    subject: string,
    mayShow: (roomId: string) => boolean,
    setEvents: (events: RoomEvents) => void,
  ) {
    this.#out = out;
    this.#subjectJson = Buffer.from(JSON.stringify(subject));
    this.#mayShow = mayShow;
    this.#setEvents = setEvents;
    setEvents(this.account);
  }

  onSilent(field: CompiledField, status: Status, start: number): void {
    if (status !== SHOWN) return;
    if (field.key === 'next_batch') {
      this.nextBatch = JSON.parse(this.#out.view(start, this.#out.position()).toString()) as string;
      this.#out.truncate(start);
    } else if (field.key === 'presence') this.presence = [start, this.#out.position()];
  }

  beforeRoom(section: string, roomId: string, key: Buffer, isObject: boolean): boolean {
    if (section === 'join' || section === 'invite') this.roomIds.push(roomId);
    if (!this.#mayShow(roomId)) return false;
    const rooms = this.rooms.get(section);
    // Readers of JSON disagree about which one counts.
    if (rooms === undefined || rooms.has(roomId)) throw invalidResponse('rooms');
    const lacksCreate = section === 'join' && !roomId.includes(':');
    const room: SyncRoom = {
      section: section as SyncRoom['section'],
      key,
      isObject,
      events: roomEvents(roomId, key, lacksCreate ? this.#subjectJson : null),
      start: this.#out.position(),
      end: 0,
      insertAt: -1,
      hasState: false,
    };
    rooms.set(roomId, room);
    if (!isObject) return false;
    this.#room = room;
    this.#state = null;
    this.#part = '';
    this.#setEvents(room.events);
    return true;
  }

  beforeField(frame: Frame, field: CompiledField): boolean {
    const { events } = this.#current();
    const has = (key: string | null): boolean =>
      frame.rule.fields.some((one) => one.key === key && (frame.seen & one.bit) !== 0);
    if (has(field.unless)) return false;
    this.#part = field.key;
    if (field.unless !== null) {
      const own = roomEvents(events.roomId, events.roomIdJson, events.subjectJson);
      this.#state = { events: own, isFirst: frame.count === 0, start: 0, end: 0 };
      this.#setEvents(own);
    } else if (frame.rule.fields.some(({ unless }) => unless === field.key)) this.#dropState(frame);
    return true;
  }

  afterField(field: CompiledField, start: number): void {
    this.#part = '';
    if (field.unless === null || this.#state === null) return;
    this.#state.start = start;
    this.#state.end = this.#out.position();
    this.#setEvents(this.#current().events);
  }

  onList(frame: Frame, isEnd: boolean): void {
    if (!STATE_PARTS.has(this.#part)) return;
    const room = this.#current();
    if (isEnd) room.hasState = frame.count > 0;
    else room.insertAt = this.#out.position();
  }

  onDefault({ key }: CompiledField): void {
    if (this.#room === null) return;
    // Into the list: `"state":{"events":[]}`, or its `"events":[]`.
    if (key === 'state') this.#room.insertAt = this.#out.position() - 2;
    else if (key === 'events' && STATE_PARTS.has(this.#part)) this.#room.insertAt = this.#out.position() - 1;
  }

  afterRoom(): void {
    const room = this.#current();
    room.end = this.#out.position();
    if (this.#state !== null) add(room.events, this.#state.events);
    this.#room = null;
    this.#setEvents(this.account);
  }

  #current(): SyncRoom {
    if (this.#room === null) throw new TypeError('no room');
    return this.#room;
  }

  /** Takes `state` out again: `state_after` is there. */
  #dropState(frame: Frame): void {
    const room = this.#current();
    const state = this.#state;
    this.#state = null;
    if (state === null) return;
    // With its own comma, or the one that follows it.
    this.#out.cut(state.start, state.end + (state.isFirst && frame.count > 1 ? 1 : 0));
    frame.count--;
    frame.from = -1;
    room.insertAt = -1;
    room.hasState = false;
  }
}

const STATE_PARTS = new Set(['state', 'state_after']);

function add(events: RoomEvents, more: RoomEvents): void {
  events.hasCreate ||= more.hasCreate;
  events.hasOwnMember ||= more.hasOwnMember;
  events.news ||= more.news;
  for (const one of more.references) events.references.push(one);
}
