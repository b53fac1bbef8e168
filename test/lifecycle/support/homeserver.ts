import { MintwardenError } from '../../../src/domain/errors.ts';
import type { EventId, RoomId, UserId } from '../../../src/domain/ids.ts';
import type { RoomFacts } from '../../../src/domain/grant.ts';
import type { Chat, ChatContent, Dm, Keys } from '../../../src/ports/chat.ts';
import type { Directory, SubjectFacts } from '../../../src/ports/directory.ts';
import type { Issuer } from '../../../src/ports/issuer.ts';

const SERVER = 'example.org';
export const BOT = '@mintwarden:example.org' as UserId;
export const ISSUER = '@mintwarden-issuer:example.org' as UserId;
export const ADMIN = '@admin:example.org' as UserId;
export const ALICE = '@alice:example.org' as UserId;
export const CONTROL = '!control:example.org' as RoomId;
export const OPS = '!ops:example.org' as RoomId;
export const LOBBY = '!lobby:example.org' as RoomId;

/** `lost`: it never arrived; `unanswered`: it was done, and the answer was lost; `refused`: a plain no. */
export type Fault = 'lost' | 'unanswered' | 'refused';

export type SentEvent = {
  readonly eventId: EventId;
  readonly roomId: RoomId | null;
  readonly marker: string;
  readonly content: Pick<ChatContent, 'body' | 'html'>;
  readonly audience: string;
  readonly encrypted: boolean;
  readonly at: number;
  redacted: boolean;
};

type Person = { facts: SubjectFacts; keys: Keys };

/**
 * What outlives the process: accounts, rooms, tokens, events; faults are taken from `faults` by the name of
 * the call.
 */
export class Homeserver {
  readonly people = new Map<UserId, Person>();
  readonly rooms = new Map<RoomId, RoomFacts>();
  readonly aliases = new Map<string, RoomId>();
  readonly dms = new Map<UserId, Dm>();
  /** Who made rooms, as far as the homeserver knows. */
  readonly creators = new Map<RoomId, UserId>();
  readonly invited = new Map<UserId, readonly RoomId[]>();
  readonly replacements = new Map<RoomId, RoomId>();
  readonly events: SentEvent[] = [];
  readonly tokens = new Map<string, { subject: UserId; validUntil: number; killed: boolean }>();
  readonly calls: string[] = [];
  readonly invites: string[] = [];
  readonly read = new Set<EventId>();
  readonly #transactions = new Map<string, EventId>();
  readonly #now: () => number;
  /** Asked at each call that changes something, by its name. */
  fault: (call: string) => Fault | null = () => null;
  /** Runs while a call is under way, before its effect. */
  during: (call: string) => Promise<void> = async () => undefined;
  serverNotices = false;
  deviceId = 'BOTDEVICE';
  autoJoin = true;
  issueRefusal: 'no-such-user' | 'not-admin' | 'issuer-logged-out' | 'limited' | 'other' = 'other';

  constructor(now: () => number) {
    this.#now = now;
    this.rooms.set(OPS, { roomId: OPS, name: 'Ops', encrypted: true });
    this.rooms.set(LOBBY, { roomId: LOBBY, name: 'Lobby', encrypted: false });
    this.rooms.set(CONTROL, { roomId: CONTROL, name: 'Control', encrypted: true });
    this.aliases.set('#ops:example.org', OPS);
    for (const user of [ADMIN, ALICE, BOT, ISSUER]) this.addPerson(user);
    this.change(ADMIN, { admin: true, joinedRooms: [CONTROL, OPS] });
  }

  addPerson(userId: UserId): void {
    this.people.set(userId, {
      facts: {
        userId,
        deactivated: false,
        locked: false,
        admin: false,
        joinedRooms: [OPS, LOBBY],
        noticesRoom: null,
        ignoresBot: false,
        invites: 'allow',
        refusesNotices: false,
      },
      keys: { devices: 1, signedDevices: 1, masterKey: `master-of-${userId}`, isReplaced: false },
    });
  }

  change(userId: UserId, facts: Partial<SubjectFacts>): void {
    const person = this.people.get(userId);
    if (person !== undefined) person.facts = { ...person.facts, ...facts };
  }

  setKeys(userId: UserId, keys: Partial<Keys>): void {
    const person = this.people.get(userId);
    if (person !== undefined) person.keys = { ...person.keys, ...keys };
  }

  /** Upstream tokens that the homeserver would take at this moment. */
  alive(): string[] {
    return [...this.tokens]
      .filter(([, token]) => !token.killed && this.#now() < token.validUntil)
      .map(([token]) => token);
  }

  sentTo(roomId: RoomId | null | undefined): SentEvent[] {
    return this.events.filter((event) => event.roomId === roomId);
  }

  readonly #underWay = new Set<Promise<unknown>>();

  /**
   * Waits for what was on its way when the process died: it arrives before another process has started, which takes
   * seconds.
   */
  async arrived(): Promise<void> {
    await Promise.allSettled(this.#underWay);
  }

  #effect<T>(call: string, effect: () => T): Promise<T> {
    const made = this.#make(call, effect);
    this.#underWay.add(made);
    const over = (): void => void this.#underWay.delete(made);
    made.then(over, over);
    return made;
  }

  async #make<T>(call: string, effect: () => T): Promise<T> {
    this.calls.push(call);
    await this.during(call);
    const fault = this.fault(call);
    if (fault === 'lost')
      throw new MintwardenError('homeserver-unreachable', 'The homeserver did not answer.');
    if (fault === 'refused') throw new MintwardenError('homeserver-refused', 'The homeserver said no.');
    const result = effect();
    if (fault === 'unanswered')
      throw new MintwardenError('homeserver-unreachable', 'The homeserver did not answer.');
    return result;
  }

  issuer(): Issuer {
    return {
      issue: async (subject, validUntil) => {
        this.calls.push('issue');
        await this.during('issue');
        const fault = this.fault('issue');
        if (fault === 'lost') return { kind: 'unknown', problem: 'No answer.' };
        if (fault === 'refused') return { kind: 'refused', why: this.issueRefusal, problem: 'No.' };
        const token = `syt_${subject}_${this.tokens.size}`;
        this.tokens.set(token, { subject, validUntil, killed: false });
        await this.during('issued');
        return fault === 'unanswered'
          ? { kind: 'unknown', problem: 'No answer.' }
          : { kind: 'issued', token };
      },
      kill: async (token) => {
        this.calls.push('kill');
        await this.during('kill');
        const fault = this.fault('kill');
        if (fault === 'lost' || fault === 'refused') return { kind: 'unknown', problem: 'No answer.' };
        const known = this.tokens.get(token);
        if (known !== undefined) known.killed = true;
        return fault === 'unanswered' ? { kind: 'unknown', problem: 'No answer.' } : { kind: 'dead' };
      },
    };
  }

  directory(): Directory {
    return {
      serverName: SERVER,
      subject: (userId) => this.#effect('subject', () => this.people.get(userId)?.facts ?? null),
      room: (roomId) => this.#effect('room', () => this.rooms.get(roomId) ?? null),
      creator: (roomId) => this.#effect('creator', () => this.creators.get(roomId) ?? null),
      invitedRooms: (userId) => this.#effect('invited', () => this.invited.get(userId) ?? []),
      replacement: (roomId) => this.#effect('replacement', () => this.replacements.get(roomId) ?? null),
      resolveAlias: (alias) => this.#effect('alias', () => this.aliases.get(alias) ?? null),
      hasServerNotices: async () => this.serverNotices,
      isNoticesRoom: async (roomId) => roomId.startsWith('!notices-'),
      sendServerNotice: (userId, content, transactionId) =>
        this.#effect('server-notice', () => {
          const eventId = this.#append(`notice ${userId}`, transactionId, {
            roomId: null,
            content,
            marker: transactionId,
            audience: 'server',
            encrypted: false,
          });
          const room = `!notices-${userId.slice(1)}` as RoomId;
          this.change(userId, { noticesRoom: room });
          return { eventId };
        }),
    };
  }

  #append(
    scope: string,
    transactionId: string,
    event: Omit<SentEvent, 'eventId' | 'at' | 'redacted'>,
  ): EventId {
    const key = `${this.deviceId} ${scope} ${transactionId}`;
    const known = this.#transactions.get(key);
    if (known !== undefined) return known;
    const eventId = `$event${this.events.length}` as EventId;
    this.#transactions.set(key, eventId);
    this.events.push({ ...event, eventId, at: this.#now(), redacted: false });
    return eventId;
  }

  /** As after a day: no transaction id is known any more. */
  forgetTransactions(): void {
    this.#transactions.clear();
  }

  chat(): Chat {
    return {
      userId: BOT,
      deviceId: this.deviceId,
      send: (roomId, content, options) =>
        this.#effect('send', () => {
          const encrypted =
            roomId === CONTROL || [...this.dms.values()].some((dm) => dm.roomId === roomId && dm.encrypted);
          if (encrypted !== (options.expect === 'encrypted'))
            throw new MintwardenError('conflict', 'Not the encryption that was expected.');
          return this.#append(roomId, options.transactionId, {
            roomId,
            content,
            marker: options.marker,
            audience: options.audience,
            encrypted,
          });
        }),
      redact: (_roomId, eventId) =>
        this.#effect('redact', () => {
          const event = this.events.find((other) => other.eventId === eventId);
          if (event !== undefined) event.redacted = true;
        }),
      findByMarker: (roomId, marker) =>
        this.#effect(
          'find',
          () =>
            this.events.find((event) => event.roomId === roomId && event.marker === marker)?.eventId ?? null,
        ),
      dm: async (userId) => this.dms.get(userId) ?? null,
      openDm: (userId, { reason, encrypted }) =>
        this.#effect('open-dm', () => {
          const known = this.dms.get(userId);
          if (known !== undefined && (known.membership === 'join' || known.membership === 'invite'))
            return known;
          this.invites.push(reason);
          const made: Dm = {
            roomId: known?.roomId ?? (`!dm-${userId.slice(1)}` as RoomId),
            encrypted: known?.encrypted ?? encrypted,
            membership: this.autoJoin ? 'join' : 'invite',
            justTheTwo: known?.justTheTwo ?? true,
          };
          this.dms.set(userId, made);
          return made;
        }),
      keys: (userId) =>
        this.#effect(
          'keys',
          () =>
            this.people.get(userId)?.keys ?? {
              devices: 0,
              signedDevices: 0,
              masterKey: null,
              isReplaced: false,
            },
        ),
      hasRead: async (_roomId, eventId) => this.read.has(eventId),
      controlRoom: async () => ({
        roomId: CONTROL,
        botJoined: true,
        encrypted: true,
        joinRule: 'invite',
        guestsAllowed: false,
        worldReadable: false,
        joined: [BOT, ADMIN],
        invited: [],
        replacedBy: null,
      }),
      controlRoomPredecessors: async () => ['!old-control:example.org' as RoomId],
    };
  }
}
