import type { RoomId } from '../../../domain/ids.ts';
import type { MediaAddress } from '../../../domain/media-address.ts';
import { MAX_NESTED_EVENTS } from '../shapes/event.ts';
import type { EventRule } from '../shapes/rule.ts';
import { ROLES } from './compile.ts';
import type { RoomEvents } from './room-events.ts';
import type { Scanner } from './scanner.ts';

const MISSING = -1;
const ROLE_COUNT = 7;
const CREATE = Buffer.from('"m.room.create"');
const MEMBER = Buffer.from('"m.room.member"');

/** What the fields of an event say of it, by how deep it is in other events. */
export class EventFacts {
  /** Where the fields begin and how long they are. */
  readonly #roles = new Int32Array((MAX_NESTED_EVENTS + 1) * ROLE_COUNT * 2);
  readonly #media: (readonly MediaAddress[] | null)[] = [];
  readonly #scan: Scanner;

  constructor(scan: Scanner) {
    this.#scan = scan;
  }

  /** An event begins. */
  begin(depth: number): void {
    const base = depth * ROLE_COUNT * 2;
    this.#roles.fill(MISSING, base, base + ROLE_COUNT * 2);
    this.#media[depth] = null;
  }

  /** The addresses of media in its content. */
  setMedia(depth: number, media: readonly MediaAddress[] | null): void {
    this.#media[depth] = media;
  }

  /** Remembers a field, which ends where the scanner is. @returns whether the event can be shown, by this field */
  keep(depth: number, role: number, start: number, rule: EventRule, room: RoomEvents): boolean {
    const scan = this.#scan;
    const at = (depth * ROLE_COUNT + role) * 2;
    this.#roles[at] = start;
    this.#roles[at + 1] = scan.pos - start;
    if (role === ROLES.type) return rule.readable.all || rule.readable.has(scan.value(start, scan.pos));
    if (role !== ROLES.room_id) return true;
    const { roomIdJson, roomId } = room;
    if (scan.pos - start === roomIdJson.length && scan.has(roomIdJson, start)) return true;
    return scan.value(start, scan.pos) === roomId;
  }

  /** Whether it has this field. */
  has(depth: number, role: number): boolean {
    return this.#start(depth, role) >= 0;
  }

  /** Remembers what an event that is shown means for its room. @returns how much media it refers to */
  note(depth: number, room: RoomEvents): number {
    const media = this.#media[depth];
    if (media !== null && media !== undefined && media.length > 0) this.#refer(depth, media, room);
    if (room.subjectJson !== null && depth === 0) {
      if (this.#is(depth, ROLES.type, CREATE)) room.hasCreate = true;
      else if (this.#is(depth, ROLES.type, MEMBER) && this.#is(depth, ROLES.state_key, room.subjectJson))
        room.hasOwnMember = true;
    }
    return media?.length ?? 0;
  }

  #refer(depth: number, media: readonly MediaAddress[], { roomId, references }: RoomEvents): void {
    const type = this.#text(depth, ROLES.type);
    const sender = this.#text(depth, ROLES.sender);
    const stateKey = this.has(depth, ROLES.state_key) ? this.#text(depth, ROLES.state_key) : null;
    const start = this.#start(depth, ROLES.origin_server_ts);
    const sentAt =
      start < 0 ? null : Number(this.#scan.text(start, this.#end(depth, ROLES.origin_server_ts)));
    for (const address of media)
      references.push({ address, roomId: roomId as RoomId, type, sender, stateKey, sentAt });
  }

  #start(depth: number, role: number): number {
    return this.#roles[(depth * ROLE_COUNT + role) * 2] as number;
  }

  #end(depth: number, role: number): number {
    return this.#start(depth, role) + (this.#roles[(depth * ROLE_COUNT + role) * 2 + 1] as number);
  }

  #text(depth: number, role: number): string {
    return this.#scan.value(this.#start(depth, role), this.#end(depth, role));
  }

  /** Whether a field is this string. */
  #is(depth: number, role: number, json: Buffer): boolean {
    const start = this.#start(depth, role);
    if (start < 0) return false;
    if (this.#scan.has(json, start)) return true;
    if (!this.#scan.isEscapedBetween(start, this.#end(depth, role))) return false;
    return JSON.stringify(this.#text(depth, role)) === json.toString();
  }
}
