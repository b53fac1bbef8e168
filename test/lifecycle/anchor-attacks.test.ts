import { createHmac, randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { EventId } from '../../src/domain/ids.ts';
import { compareState } from '../../src/lifecycle/anchors/compare-state.ts';
import { recordOldCopy } from '../../src/lifecycle/anchors/record-findings.ts';
import type { AnchorParts } from '../../src/lifecycle/anchors/anchor-parts.ts';
import { startAnchors } from '../../src/lifecycle/anchors/poster.ts';
import { trustState } from '../../src/lifecycle/anchors/trust-state.ts';
import { openSqliteLedger } from '../../src/store/sqlite/index.ts';
import type { SqliteLedger } from '../../src/store/sqlite/open.ts';
import { NOON, sampleAudit, sampleGrant, sampleLease } from '../contract/sample.ts';
import { silentLog } from '../support/silent-log.ts';

const KEY = randomBytes(32);

let folder: string;
let ledger: SqliteLedger;
let events: { eventId: EventId; content: Readonly<Record<string, unknown>> }[];

const parts = (): AnchorParts => ({
  ledger,
  store: ledger.anchors,
  anchorage: {
    roomId: '!control:example.org',
    newest: async () => events.toReversed(),
    post: async (content) => {
      events.push({ eventId: `$${randomBytes(6).toString('hex')}` as EventId, content });
      return events.at(-1)!.eventId;
    },
    has: async (id) => events.some(({ eventId }) => eventId === id),
  },
  mac: (text) => createHmac('sha256', KEY).update(text).digest('hex'),
  clock: { now: () => NOON },
  random: { bytes: (count) => randomBytes(count) },
  log: silentLog,
});
const open = async (): Promise<void> => {
  ledger = await openSqliteLedger({ file: join(folder, 'state', 'ledger.sqlite'), log: silentLog });
};
const audited = () => ledger.commit({ at: NOON, audit: [sampleAudit()] });
const post = () => startAnchors(parts(), { compared: true, onOther: () => {}, leaseMs: 0 }).stop();
const kind = async () => (await compareState(parts())).state.kind;

/** What the homeserver leaves of a message that was removed. */
function redact(place: number): void {
  const event = events.at(place)!;
  events[events.indexOf(event)] = { ...event, content: {} };
}

async function copied(): Promise<void> {
  await ledger.close();
  cpSync(join(folder, 'state'), join(folder, 'copy'), { recursive: true });
  await open();
}

async function broughtBack(): Promise<void> {
  await ledger.close();
  rmSync(join(folder, 'state'), { recursive: true });
  cpSync(join(folder, 'copy'), join(folder, 'state'), { recursive: true });
  await open();
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mw-anchor-attacks-'));
  events = [];
  await open();
  const grant = sampleGrant({ id: '7F3K9Q', state: 'live', nextActionAt: NOON + 3_600_000 });
  await ledger.commit({
    at: NOON,
    grants: [grant],
    leases: [sampleLease({ id: 'lease', grantId: grant.id, state: 'alive', sealed: 'sealed' })],
    audit: [sampleAudit({ grantId: grant.id })],
  });
});
afterEach(async () => {
  await ledger.close();
  rmSync(folder, { recursive: true, force: true });
});

test('a former administrator who removes the anchors from the room makes no old copy count', async () => {
  await post();
  await copied();
  await audited();
  await post();
  await audited();
  await post();
  redact(-1);
  redact(-2);
  await broughtBack();
  const found = await compareState(parts());
  expect(found.state).toMatchObject({ kind: 'held', copy: { why: 'cut' } });
  // All of them: the copy still knows which was its own.
  redact(-3);
  expect(await kind()).toBe('held');
});

test('nor where the copy had posted nothing yet', async () => {
  await copied();
  await post();
  redact(-1);
  await broughtBack();
  expect(await kind()).toBe('held');
});

test('the true state is well without its anchors: nobody stops the service by removing them', async () => {
  await post();
  await audited();
  await post();
  redact(-1);
  redact(-2);
  expect(await kind()).toBe('well');
  await audited();
  await post();
  expect(await kind()).toBe('well');
});

test('it stays locked down until an operator confirms it', async () => {
  await post();
  await copied();
  await audited();
  await post();
  redact(-1);
  await broughtBack();
  const { state } = await compareState(parts());
  if (state.kind !== 'held') throw new Error('not held');
  await recordOldCopy(parts(), state.copy);
  expect(await kind()).toBe('held');
  expect(await trustState(parts(), { by: 'operator:root', keep: [], leaseMs: 1 })).toBe(1);
  expect(await kind()).toBe('well');
  await post();
  expect(await kind()).toBe('well');
});
