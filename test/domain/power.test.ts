import { describe, expect, it } from 'vitest';
import type { UserId } from '../../src/domain/ids.ts';
import {
  type PowerAction,
  powerOf,
  type RoomPower,
  parseRoomPower,
  isWithinPower,
} from '../../src/domain/power.ts';

const [ALICE, BOB, EVE] = ['@alice:x', '@bob:x', '@eve:x'] as [UserId, UserId, UserId];
const room = (levels: unknown, more: Partial<RoomPower> = {}): RoomPower => ({
  levels,
  creators: [],
  madeBy: null,
  ...more,
});
const message: PowerAction = { kind: 'send', type: 'm.room.message', isState: false };
const topic: PowerAction = { kind: 'send', type: 'm.room.topic', isState: true };
const ban: PowerAction = { kind: 'ban', target: BOB };
const usual = room({ users: { [ALICE]: 100, [BOB]: 50 }, ban: 50, kick: 50 });

describe('power', () => {
  it('is as the room says, without limit for creators of version 12, and none where it cannot be read', () => {
    expect(powerOf(ALICE, usual)).toBe(100);
    expect(powerOf(EVE, usual)).toBe(0);
    expect(powerOf(EVE, room({ users_default: 7 }))).toBe(7);
    expect(powerOf(ALICE, room({ users: { [ALICE]: ' 50 ' } }))).toBe(50);
    expect(powerOf(ALICE, room({}, { creators: [ALICE] }))).toBe(Infinity);
    expect(powerOf(ALICE, room(null, { madeBy: ALICE }))).toBe(100);
    expect(powerOf(ALICE, room(null, { madeBy: ALICE, creators: [BOB] }))).toBe(0);
    for (const odd of [null, 'a', {}, [], 1.5, true, '50x', 'x50', '5 0', ['50'], ''])
      expect(powerOf(ALICE, room({ users: { [ALICE]: odd } }))).toBe(-Infinity);
    expect(powerOf('__proto__' as UserId, usual)).toBe(0);
    expect(powerOf(EVE, room({ users_default: 'a' }))).toBe(-Infinity);
    expect(powerOf(EVE, room(null, { madeBy: ALICE }))).toBe(0);
  });
});

describe('a ceiling', () => {
  it.each([
    [0, message, true],
    [-1, message, false],
    [0, topic, false],
    [50, topic, true],
    [49, ban, false],
    [50, ban, false],
    [51, ban, true],
    [51, { kind: 'kick', target: BOB } as const, true],
    [50, { kind: 'kick', target: EVE } as const, true],
    [49, { kind: 'unban', target: EVE } as const, false],
    [0, { kind: 'invite' } as const, true],
    [49, { kind: 'redact-others' } as const, false],
    [50, { kind: 'redact-others' } as const, true],
  ])('of %d: %j is %s', (ceiling, deed, may) => expect(isWithinPower(ceiling, ALICE, usual, deed)).toBe(may));

  it('cuts the endless power of creators, and a creator cannot be banned', () => {
    const twelve = room({ ban: 50 }, { creators: [ALICE, BOB] });
    expect(isWithinPower(0, ALICE, twelve, topic)).toBe(false);
    expect(isWithinPower(100, ALICE, twelve, topic)).toBe(true);
    expect(isWithinPower(100, ALICE, twelve, ban)).toBe(false);
  });

  it('asks for each thing what the room says of that thing', () => {
    const levels = {
      users: { [ALICE]: 100, [BOB]: 5 },
      events_default: 10,
      state_default: 20,
      invite: 30,
      redact: 40,
      kick: 50,
      ban: 60,
    };
    const asks: readonly (readonly [PowerAction, number])[] = [
      [message, 10],
      [topic, 20],
      [{ kind: 'invite' }, 30],
      [{ kind: 'redact-others' }, 40],
      [{ kind: 'kick', target: BOB }, 50],
      [ban, 60],
      [{ kind: 'unban', target: BOB }, 60],
    ];
    for (const [action, level] of asks)
      for (const [ceiling, may] of [
        [level, true],
        [level - 1, false],
      ] as const)
        expect([action, ceiling, isWithinPower(ceiling, ALICE, room(levels), action)]).toEqual([
          action,
          ceiling,
          may,
        ]);
    const redactions = { ...levels, redact: 0 };
    expect(isWithinPower(9, ALICE, room(redactions), { kind: 'redact-others' })).toBe(false);
    expect(isWithinPower(10, ALICE, room(redactions), { kind: 'redact-others' })).toBe(true);
  });

  it('is over whom it puts out, in each of the three ways, but for oneself', () => {
    const equals = room({ users: { [ALICE]: 100, [BOB]: 60 }, kick: 0, ban: 0 });
    for (const kind of ['kick', 'ban', 'unban'] as const) {
      expect([kind, isWithinPower(60, ALICE, equals, { kind, target: BOB })]).toEqual([kind, false]);
      expect([kind, isWithinPower(61, ALICE, equals, { kind, target: BOB })]).toEqual([kind, true]);
      expect([kind, isWithinPower(0, ALICE, equals, { kind, target: ALICE })]).toEqual([kind, true]);
    }
  });

  it('takes no power for state where a room says nothing of power', () => {
    expect(isWithinPower(0, ALICE, room(null), topic)).toBe(true);
    expect(isWithinPower(49, ALICE, room({ users: { [ALICE]: 100 } }), topic)).toBe(false);
  });

  it('never lends power that the subject has not', () =>
    expect(isWithinPower(100, EVE, usual, topic)).toBe(false));

  it('reads what cannot be read as more than anybody has', () => {
    expect(isWithinPower(100, ALICE, room({ users: { [ALICE]: 100 }, state_default: null }), topic)).toBe(
      false,
    );
    expect(
      isWithinPower(100, ALICE, room({ users: { [ALICE]: 100 }, events: { 'm.room.topic': {} } }), topic),
    ).toBe(false);
  });

  it('lifts a ban only where it may both ban and kick, whichever asks for more, and over who is banned', () => {
    const unban = { kind: 'unban', target: EVE } as const;
    const asks = (levels: object) => room({ users: { [ALICE]: 100, [EVE]: 10 }, ...levels });
    expect(isWithinPower(50, ALICE, asks({ ban: 40, kick: 60 }), unban)).toBe(false);
    expect(isWithinPower(60, ALICE, asks({ ban: 40, kick: 60 }), unban)).toBe(true);
    expect(isWithinPower(50, ALICE, asks({ ban: 60, kick: 40 }), unban)).toBe(false);
    expect(isWithinPower(60, ALICE, asks({ ban: 60, kick: 40 }), unban)).toBe(true);
    expect(isWithinPower(10, ALICE, asks({ ban: 0, kick: 0 }), unban)).toBe(false);
    expect(isWithinPower(49, ALICE, asks({}), unban)).toBe(false);
    expect(isWithinPower(50, ALICE, asks({}), unban)).toBe(true);
  });

  it('redacts others only where it may send redactions', () => {
    const strict = room({ users: { [ALICE]: 100 }, redact: 0, events: { 'm.room.redaction': 60 } });
    expect(isWithinPower(59, ALICE, strict, { kind: 'redact-others' })).toBe(false);
    expect(isWithinPower(60, ALICE, strict, { kind: 'redact-others' })).toBe(true);
  });
});

describe('what a room says of power', () => {
  const create = (content: unknown, more: object = {}) => ({
    type: 'm.room.create',
    state_key: '',
    sender: BOB,
    content,
    ...more,
  });

  it('names creators from version 12 on, and in versions nobody knows; before, who made it', () => {
    expect(parseRoomPower(create({}), null)).toEqual({ levels: null, creators: [], madeBy: BOB });
    expect(parseRoomPower(create({ creator: ALICE }), null)?.madeBy).toBe(ALICE);
    expect(parseRoomPower(create({ creator: ALICE, room_version: '10' }), null)?.madeBy).toBe(ALICE);
    expect(
      parseRoomPower(create({ creator: ALICE, room_version: '11', additional_creators: [ALICE] }), null),
    ).toEqual(room(null, { madeBy: BOB }));
    for (const version of ['12', '13', '1.2', '011', 'org.matrix.hydra.11'])
      expect(
        parseRoomPower(create({ room_version: version, additional_creators: [ALICE] }), {})?.creators,
      ).toEqual([BOB, ALICE]);
  });

  it('cannot be told from what is no create event, or from levels that are none', () => {
    for (const odd of [
      null,
      [],
      'x',
      create([]),
      create(undefined),
      create({}, { type: 'm.room.name' }),
      create({}, { state_key: 'x' }),
      create({}, { sender: null }),
      create({ room_version: 12 }),
      create({ room_version: '12', additional_creators: {} }),
      create({ room_version: '12', additional_creators: [ALICE, 7] }),
    ])
      expect([odd, parseRoomPower(odd, null)]).toEqual([odd, null]);
    for (const levels of [undefined, [], 'x', 1]) expect(parseRoomPower(create({}), levels)).toBeNull();
  });
});
