import { createHmac, randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type Anchor,
  anchorContent,
  compareWithAnchor,
  isNewerAnchor,
  readAnchor,
} from '../../src/domain/anchor.ts';
import type { EventId, GrantId, MessageId } from '../../src/domain/ids.ts';
import { compareState } from '../../src/lifecycle/anchors/compare-state.ts';
import {
  recordOldCopy,
  recordHomeserverRestored,
  recordLostState,
} from '../../src/lifecycle/anchors/record-findings.ts';
import type { AnchorParts } from '../../src/lifecycle/anchors/anchor-parts.ts';
import { startAnchors } from '../../src/lifecycle/anchors/poster.ts';
import { trustState } from '../../src/lifecycle/anchors/trust-state.ts';
import type { AnchorRoom } from '../../src/ports/anchors.ts';
import { openSqliteLedger } from '../../src/store/sqlite/index.ts';
import type { SqliteLedger } from '../../src/store/sqlite/open.ts';
import { endGrant } from '../../src/lifecycle/revocation/end-grant.ts';
import { NOON, sampleAudit, sampleGrant, sampleLease, sampleMessage } from '../contract/sample.ts';
import { silentLog } from '../support/silent-log.ts';
import { fakeTimers } from '../support/fake-timers.ts';

const ROOM = '!control:example.org';
const KEY = randomBytes(32);
const mac = (text: string): string => createHmac('sha256', KEY).update(text).digest('hex');
const sample: Anchor = { generation: 1, seq: 3, hash: 'a'.repeat(64), uses: 0, at: NOON, live: 2 };

/** The control room as a list of events, which can be cut short as a restored homeserver's is. */
class Room implements AnchorRoom {
  readonly roomId = ROOM;
  events: { eventId: EventId; content: Readonly<Record<string, unknown>> }[] = [];
  away = false;
  newest = async () => this.events.toReversed();
  post = async (content: Readonly<Record<string, unknown>>) => {
    if (this.away) throw new Error('away');
    const eventId = `$anchor${this.events.length}${randomBytes(3).toString('hex')}` as EventId;
    this.events.push({ eventId, content: JSON.parse(JSON.stringify(content)) as Record<string, unknown> });
    return eventId;
  };
  has = async (eventId: EventId) => this.events.some((event) => event.eventId === eventId);
}

let folder: string;
let ledger: SqliteLedger;
let room: Room;
const clock = { at: NOON, now: () => clock.at };

const file = (): string => join(folder, 'state', 'ledger.sqlite');
const open = async (): Promise<void> => {
  ledger = await openSqliteLedger({ file: file(), log: silentLog });
};
/** This state was compared with the control room, and is the newest. */
const COMPARED = { compared: true, onOther: () => {}, leaseMs: 0 };

const parts = (): AnchorParts => ({
  ledger,
  store: ledger.anchors,
  anchorage: room,
  mac,
  clock,
  random: { bytes: (count) => randomBytes(count) },
  log: silentLog,
});

/** As one who stops the service and copies the folder. */
async function copy(name: string): Promise<void> {
  await ledger.close();
  cpSync(join(folder, 'state'), join(folder, name), { recursive: true });
  await open();
}

async function bringBack(name: string): Promise<void> {
  await ledger.close();
  rmSync(join(folder, 'state'), { recursive: true });
  cpSync(join(folder, name), join(folder, 'state'), { recursive: true });
  await open();
}

async function post(): Promise<void> {
  const poster = startAnchors(parts(), COMPARED);
  await poster.stop();
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mintwarden-anchors-'));
  room = new Room();
  clock.at = NOON;
  await open();
});

afterEach(async () => {
  await ledger.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A live grant with an upstream token, as a mint leaves it. */
async function live(id: string): Promise<GrantId> {
  const grant = sampleGrant({ id, state: 'live', nextActionAt: NOON + 3_600_000 });
  const lease = sampleLease({ id: `lease-${id}`, grantId: grant.id, state: 'alive', sealed: 'sealed' });
  await ledger.commit({
    at: clock.at,
    grants: [grant],
    leases: [lease],
    audit: [sampleAudit({ grantId: grant.id, action: 'minted' })],
  });
  return grant.id;
}

const revoked = (id: GrantId) =>
  endGrant({ ...parts(), pendingRevocations: null }, id, {
    cause: 'revoked',
    by: 'system',
    asked: 'nobody',
    command: null,
  });
const stateOf = async (id: GrantId) => (await ledger.grant(id))?.state;
const told = async (): Promise<string[]> => {
  const rows = await Promise.all((await ledger.anchors.messagesWaiting()).map((id) => ledger.message(id)));
  return rows.flatMap((row) => (row?.body.kind === 'history' ? [row.body.news.what] : []));
};

describe('an anchor', () => {
  test('comes back as it was made, for its room and key alone', () => {
    const content = anchorContent(sample, ROOM, mac);
    expect(readAnchor(content, ROOM, mac)).toEqual(sample);
    expect(readAnchor(content, '!other:example.org', mac)).toBeNull();
    expect(
      readAnchor(content, ROOM, (text) => createHmac('sha256', 'another').update(text).digest('hex')),
    ).toBeNull();
  });

  test('is none any more once anything in it is changed', () => {
    const content = anchorContent(sample, ROOM, mac);
    for (const key of Object.keys(content)) {
      const value = content[key];
      const other = typeof value === 'number' ? value + 1 : `${String(value).slice(1)}0`;
      expect(readAnchor({ ...content, [key]: other }, ROOM, mac)).toBeNull();
      expect(readAnchor({ ...content, [key]: undefined }, ROOM, mac)).toBeNull();
      expect(readAnchor({ ...content, [key]: { toString: () => 'x' } }, ROOM, mac)).toBeNull();
    }
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (any) => readAnchor(any, ROOM, mac) === null),
    );
  });

  test('counts by its history first, then by its row, then by its uses', () => {
    expect(isNewerAnchor({ ...sample, generation: 2, seq: 1 }, sample)).toBe(true);
    expect(isNewerAnchor({ ...sample, seq: 2 }, sample)).toBe(false);
    expect(isNewerAnchor({ ...sample, uses: 1 }, sample)).toBe(true);
    expect(isNewerAnchor(sample, sample)).toBe(false);
  });

  test('says well, older or other of a ledger', async () => {
    const reach = {
      generation: 1,
      seq: 5,
      uses: 2,
      hashAt: async (seq: number) => (seq <= 5 ? `row ${seq}` : null),
    };
    const said = (over: Partial<Anchor>) =>
      compareWithAnchor({ ...sample, hash: `row ${over.seq ?? 3}`, ...over }, reach);
    expect(await said({})).toBe('well');
    expect(await said({ seq: 6 })).toBe('older');
    expect(await said({ uses: 3 })).toBe('older');
    expect(await said({ hash: 'edited' })).toBe('other');
    expect(await said({ generation: 2 })).toBe('other');
    expect(await said({ generation: 0, seq: 99 })).toBe('well');
  });
});

describe('at start', () => {
  test('a first start, and a start on what was left, are well', async () => {
    expect(await compareState(parts())).toEqual({ state: { kind: 'well' }, homeserverForgot: false });
    await live('AAAAAA');
    await post();
    await live('BBBBBB');
    expect(await compareState(parts())).toEqual({ state: { kind: 'well' }, homeserverForgot: false });
  });

  test('a copy from before a revocation is locked down, and stays so', async () => {
    const id = await live('AAAAAA');
    await post();
    await copy('before');
    await revoked(id);
    await post();
    await bringBack('before');
    expect(await stateOf(id)).toBe('live');
    const { state } = await compareState(parts());
    expect(state).toMatchObject({ kind: 'held', isNew: true, copy: { why: 'older' } });
    if (state.kind === 'held') await recordOldCopy(parts(), state.copy);
    expect(await told()).toEqual(['held']);
    // Its own rows grow past the anchor, and the room is emptied: neither frees it.
    for (let row = 0; row < 20; row++) await ledger.commit({ at: clock.at, audit: [sampleAudit()] });
    room.events = [];
    await copy('later');
    expect((await compareState(parts())).state).toMatchObject({ kind: 'held', isNew: false });
  });

  test('a copy that has grown past the anchor since is of another history', async () => {
    const id = await live('AAAAAA');
    await copy('before');
    await revoked(id);
    await post();
    await bringBack('before');
    for (let row = 0; row < 20; row++) await ledger.commit({ at: clock.at, audit: [sampleAudit()] });
    expect((await compareState(parts())).state).toMatchObject({ kind: 'held', copy: { why: 'other' } });
  });

  test('uses that were counted since are missed too, though they stand in no audit', async () => {
    const id = await live('AAAAAA');
    await ledger.use(id, 5);
    await copy('before');
    await ledger.use(id, 5);
    await ledger.use(id, 5);
    await post();
    await bringBack('before');
    expect((await compareState(parts())).state).toMatchObject({ kind: 'held', copy: { why: 'older' } });
  });

  test('anchors of others, forged ones and old ones sent again change nothing', async () => {
    await live('AAAAAA');
    await post();
    await live('BBBBBB');
    await post();
    const forged = { ...anchorContent({ ...sample, seq: 900 }, ROOM, () => 'f'.repeat(64)) };
    room.events.push(
      { eventId: '$forged' as EventId, content: forged },
      { ...room.events[0]!, eventId: '$again' as EventId },
    );
    expect((await compareState(parts())).state).toEqual({ kind: 'well' });
    // Nor does an old one, sent again last, hide the newest.
    await copy('now');
    await revoked(await live('CCCCCC'));
    await post();
    room.events.push({ ...room.events[0]!, eventId: '$again2' as EventId });
    await bringBack('now');
    expect((await compareState(parts())).state).toMatchObject({ kind: 'held', copy: { why: 'older' } });
  });

  test('an empty state begins another history, which no copy of the old one can take up again', async () => {
    await live('AAAAAA');
    await copy('before');
    await post();
    await ledger.close();
    rmSync(join(folder, 'state'), { recursive: true });
    await open();
    const { state } = await compareState(parts());
    expect(state).toMatchObject({ kind: 'lost', anchor: { live: 1 } });
    if (state.kind === 'lost') await recordLostState(parts(), state.anchor, 1_000);
    expect(await told()).toEqual(['lost']);
    expect((await compareState(parts())).state).toEqual({ kind: 'well' });
    await post();
    await bringBack('before');
    expect((await compareState(parts())).state).toMatchObject({ kind: 'held', copy: { why: 'other' } });
  });

  test('what waited in an old copy is looked for in the rooms before it is sent', async () => {
    const waiting = sampleMessage({ id: 'm1', grantId: await live('AAAAAA'), nextActionAt: NOON });
    await ledger.commit({ at: clock.at, messages: [waiting] });
    await recordOldCopy(parts(), { why: 'older', anchor: sample, seq: 1, foundAt: NOON });
    const row = await ledger.message('m1' as MessageId);
    expect(row?.firstTriedAt).toBeLessThan(NOON);
    expect(row?.triedBy).toBeNull();
  });
});

describe('an operator who goes on from an old copy', () => {
  const held = async (): Promise<void> =>
    recordOldCopy(parts(), { why: 'older', anchor: { ...sample, generation: 4 }, seq: 1, foundAt: NOON });
  const request = { by: 'operator:root', leaseMs: 1_000 } as const;

  test('ends what is live in it, has all tokens killed, and begins another history', async () => {
    const [one, two] = [await live('AAAAAA'), await live('BBBBBB')];
    await held();
    expect(await trustState({ ...parts(), store: ledger.anchors }, { ...request, keep: [two] })).toBe(1);
    expect([await stateOf(one), await stateOf(two)]).toEqual(['ended', 'live']);
    expect((await ledger.grant(one))?.endCause).toBe('old-copy');
    expect((await ledger.leases(one))[0]?.state).toBe('killing');
    expect((await ledger.leases(two))[0]?.state).toBe('alive');
    expect(await ledger.anchors.generation()).toBe(5);
    expect(await told()).toEqual(['held', 'trusted']);
    expect((await compareState(parts())).state).toEqual({ kind: 'well' });
  });

  test('cannot keep what is not live there, nor confirm what is not locked down', async () => {
    const id = await live('AAAAAA');
    await expect(
      trustState({ ...parts(), store: ledger.anchors }, { ...request, keep: [] }),
    ).rejects.toMatchObject({ code: 'conflict' });
    await held();
    await expect(
      trustState({ ...parts(), store: ledger.anchors }, { ...request, keep: ['ZZZZZZ' as GrantId] }),
    ).rejects.toMatchObject({
      code: 'not-found',
    });
    expect(await stateOf(id)).toBe('live');
  });
});

describe('a homeserver that forgets', () => {
  test('is noticed at start, and what was logged out is logged out again', async () => {
    const id = await live('AAAAAA');
    await post();
    const lease = (await ledger.leases(id))[0]!;
    await ledger.commit({ at: clock.at, leases: [{ ...lease, revision: 2, state: 'dead' }] });
    await post();
    const before = room.events.slice(0, 0);
    room.events = before;
    expect(await compareState(parts())).toEqual({ state: { kind: 'well' }, homeserverForgot: true });
    expect(await recordHomeserverRestored(parts())).toBe(1);
    expect((await ledger.leases(id))[0]?.state).toBe('killing');
  });

  test('is noticed while running, once, and then posted again', async () => {
    await live('AAAAAA');
    await post();
    room.events = [];
    const pace = { everyMs: 600_000, soonMs: 1, lookEveryMs: 0, retryMs: 5, lastTryMs: 1_000 };
    const poster = startAnchors(parts(), COMPARED, pace);
    await expect.poll(() => room.events.length).toBe(1);
    await expect.poll(told).toEqual(['homeserver-restored']);
    await poster.stop();
    expect(await told()).toEqual(['homeserver-restored']);
  });
});

describe('the poster', () => {
  test('posts soon after a revocation, and not at once for what gives power', async () => {
    await live('AAAAAA');
    await post();
    using timers = fakeTimers();
    const poster = startAnchors(parts(), COMPARED, {
      everyMs: 600_000,
      soonMs: 20,
      lookEveryMs: 60_000,
      retryMs: 5,
      lastTryMs: 1_000,
    });
    const id = await live('BBBBBB');
    await timers.pass(20);
    expect(room.events.length).toBe(2); // the first of its own
    await live('CCCCCC');
    await timers.pass(30_000);
    expect(room.events.length).toBe(2);
    await revoked(id);
    await timers.pass(20);
    expect(room.events.length).toBe(3);
    await poster.stop();
    await post();
    expect(room.events.length).toBe(3);
  });

  test('compares first where that could not be done at the start, and says nothing for an old copy', async () => {
    const id = await live('AAAAAA');
    await copy('before');
    await revoked(id);
    await post();
    await bringBack('before');
    const posted = room.events.length;
    let others = 0;
    const poster = startAnchors(parts(), { compared: false, onOther: () => others++, leaseMs: 1 });
    await poster.now();
    await revoked(id);
    await poster.stop();
    expect([others, room.events.length]).toEqual([1, posted]);
  });

  test('knows nothing of what was posted in another control room', async () => {
    await live('AAAAAA');
    await post();
    room = new Room();
    Object.assign(room, { roomId: '!another:example.org' });
    expect(await compareState(parts())).toEqual({ state: { kind: 'well' }, homeserverForgot: false });
    await post();
    expect(room.events.length).toBe(1);
  });

  test('tries again while the homeserver is away, and never fails', async () => {
    using timers = fakeTimers();
    const poster = startAnchors(parts(), COMPARED, {
      everyMs: 600_000,
      soonMs: 1,
      lookEveryMs: 60_000,
      retryMs: 5,
      lastTryMs: 1_000,
    });
    room.away = true;
    await revoked(await live('AAAAAA'));
    await timers.pass(1_000);
    expect(room.events.length).toBe(0);
    room.away = false;
    await timers.pass(5);
    expect(room.events.length).toBe(1);
    await poster.stop();
  });
});
