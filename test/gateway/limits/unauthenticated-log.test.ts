import { expect, test } from 'vitest';
import type { GrantId } from '../../../src/domain/ids.ts';
import { createUnauthenticatedLog } from '../../../src/gateway/limits/unauthenticated-log.ts';
import type { LogData } from '../../../src/ports/log.ts';
import { fakeTimers } from '../../support/fake-timers.ts';
import { silentLog } from '../../support/silent-log.ts';

function stage() {
  const lines: [string, LogData | undefined][] = [];
  const log = createUnauthenticatedLog({
    ...silentLog,
    info: (...line) => void lines.push([line[0], line[1]]),
  });
  const note = (operation: string, status = 401, grant: string | null = null): void =>
    log.note({ operation, status, ms: 1, grant: grant as GrantId | null });
  return { lines, log, note };
}

test('the first of a kind is logged at once, those that follow together', async () => {
  using timers = fakeTimers();
  const { lines, log, note } = stage();
  for (let count = 0; count < 10_000; count++) note('sync');
  note('sync', 401, '7F3K9Q');
  note('getVersions', 200);
  expect(lines).toEqual([
    ['request', { operation: 'sync', status: 401, ms: 1, grant: null }],
    ['request', { operation: 'sync', status: 401, ms: 1, grant: '7F3K9Q' }],
    ['request', { operation: 'getVersions', status: 200, ms: 1, grant: null }],
  ]);
  await timers.pass(60_000);
  expect(lines.slice(3)).toEqual([
    ['requests', { operation: 'sync', status: 401, grant: null, count: 9_999 }],
  ]);
  note('sync');
  expect(lines).toHaveLength(5);
  log.close();
});

test('however many kinds there are, the lines are few, and the last are written at the end', () => {
  const { lines, log, note } = stage();
  for (let kind = 0; kind < 500; kind++) note('sync', 401, `GRANT${String(kind)}`);
  expect(lines).toHaveLength(20);
  log.close();
  expect(lines.slice(20)).toEqual([
    ['requests', { operation: 'other', status: null, grant: null, count: 480 }],
  ]);
});
