import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { evaluateToDevice } from '../../src/app/doctor/to-device.ts';
import {
  addRefusals,
  countRefusals,
  REFUSALS,
  type RefusalRecord,
} from '../../src/app/to-device-refusals.ts';
import { openCache, readCached } from '../../src/store/keyv/index.ts';
import { silentLog } from '../support/silent-log.ts';

const DAY = 86_400_000;
const NOW = Date.parse('2026-11-30T12:00:00Z');
const refused = (strangers: number, tooMany = 0) => ({ strangers, tooMany, lastSender: '@eve:x' });

test('a flood is one line of the log an hour, and doctor reads its count beside the service', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mintwarden-refusals-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'cache.sqlite');
  let now = NOW;
  const cache = await openCache({ file, log: silentLog, clock: { now: () => now } });
  const warn = vi.fn();
  const count = vi.fn();
  const record = cache.space<RefusalRecord>(REFUSALS.space);
  const onRefused = countRefusals({ record, count, log: { ...silentLog, warn }, now: () => now });
  for (let batch = 0; batch < 50; batch++) onRefused(refused(100));
  await vi.waitFor(async () =>
    expect(await readCached<RefusalRecord>(file, REFUSALS)).toMatchObject({ strangers: 5_000, since: NOW }),
  );
  expect(warn.mock.calls).toEqual([
    ['to-device events were refused', { strangers: 100, tooMany: 0, lastSender: '@eve:x', since: NOW }],
  ]);
  now += 3_600_000;
  onRefused(refused(1, 2));
  await vi.waitFor(() => expect(warn).toHaveBeenCalledTimes(2));
  expect(warn.mock.lastCall?.[1]).toMatchObject({ strangers: 5_001, tooMany: 2 });
  expect(count).toHaveBeenCalledTimes(51);
  await cache.close();
});

test('a record starts again after a week', () => {
  const first = addRefusals(undefined, refused(5), NOW);
  expect(addRefusals(first, refused(5, 1), NOW + DAY)).toMatchObject({
    strangers: 10,
    tooMany: 1,
    since: NOW,
  });
  expect(addRefusals(first, refused(5), NOW + 7 * DAY)).toMatchObject({ strangers: 5, since: NOW + 7 * DAY });
});

test.each<[RefusalRecord | undefined, 'ok' | 'warn', RegExp]>([
  [undefined, 'ok', /No message between devices was refused/],
  [{ ...refused(12), since: NOW - DAY, lastAt: NOW }, 'ok', /: 12 messages .* the last from @eve:x/],
  [{ ...refused(100_000), since: NOW - DAY, lastAt: NOW }, 'warn', /: 100000 messages/],
  [{ ...refused(100_000), since: NOW - 3 * DAY, lastAt: NOW - 2 * DAY }, 'ok', /: 100000 messages/],
  [{ ...refused(0, 7), since: NOW, lastAt: NOW }, 'warn', /7 beyond the pace/],
])('doctor says of %j: %s', (record, severity, found) => {
  expect(evaluateToDevice(record, NOW)).toMatchObject({
    id: 'to-device',
    severity,
    found: expect.stringMatching(found),
  });
});

test('without a cache there is nothing to read', async () => {
  expect(await readCached('/nonexistent/cache.sqlite', REFUSALS)).toBeUndefined();
});
