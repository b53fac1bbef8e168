import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { trustClock } from '../../../src/lifecycle/time/trust-clock.ts';
import { openSqliteLedger } from '../../../src/store/sqlite/index.ts';
import { toText } from '../../../src/words/render.ts';
import { historyNews } from '../../../src/words/messages/history.ts';
import { silentLog } from '../../support/silent-log.ts';

const NOON = 1_800_000_000_000;
const DAY = 86_400_000;
const random = { bytes: (count: number) => crypto.getRandomValues(new Uint8Array(count)) };

test('nobody sets the time back, so that tokens live longer, without the audit and the control room saying who', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mw-clock-'));
  const ledger = await openSqliteLedger({ file: join(folder, 'ledger.sqlite'), log: silentLog });
  try {
    const store = ledger.anchors;
    await store.recordSeen(NOON + DAY);
    const clock = { now: () => NOON };
    const refusing = { ...ledger, commit: () => Promise.reject(new Error('full')) };
    await expect(trustClock({ ledger: refusing, clock, random, store }, 'operator:root')).rejects.toThrow(
      'full',
    );
    expect(await store.latestSeen()).toBe(NOON + DAY);

    await trustClock({ ledger, clock, random, store }, 'operator:root');
    expect(await store.latestSeen()).toBe(NOON);
    expect(await ledger.audit(0, 10)).toMatchObject([
      { actor: 'operator:root', action: 'clock-trusted', data: { before: NOON + DAY } },
    ]);
    const [id] = await store.messagesWaiting();
    const message = id === undefined ? null : await ledger.message(id);
    expect(message).toMatchObject({ to: { kind: 'control' }, nextActionAt: NOON });
    if (message?.body.kind !== 'history') throw new Error('another message');
    expect(toText(historyNews(message.body.news, NOON))).toMatch(
      /operator “root”.*confirmed.*clock.*tokens live longer by the difference, 1 d/,
    );
  } finally {
    await ledger.close();
    rmSync(folder, { recursive: true });
  }
});
