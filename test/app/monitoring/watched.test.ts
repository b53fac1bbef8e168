import { afterEach, expect, test } from 'vitest';
import {
  type MonitoredService,
  startMonitoring,
  type Monitoring,
} from '../../../src/app/monitoring/monitoring.ts';
import type { Config } from '../../../src/config/index.ts';
import type { Incident } from '../../../src/domain/incident.ts';
import { Service } from '../../lifecycle/support/harness.ts';
import { settled } from '../../support/wait.ts';

const config = (port = 0): Config =>
  ({ monitoring: { listen: { host: '127.0.0.1', port }, hosts: [] } }) as unknown as Config;
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

type Answer = {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly type: string | null;
};

async function watching(): Promise<{
  watched: Monitoring;
  ask: (path: string, method?: string) => Promise<Answer>;
  page: () => Promise<string>;
}> {
  const watched = await startMonitoring(config(), '1.2.3');
  closing.push(() => watched.close());
  const url = `http://127.0.0.1:${String(watched.port)}`;
  return {
    watched,
    ask: async (path, method = 'GET') => {
      const answer = await fetch(url + path, { method });
      const text = await answer.text();
      return {
        status: answer.status,
        body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
        type: answer.headers.get('content-type'),
      };
    },
    page: async () => (await fetch(`${url}/metrics`)).text(),
  };
}

/** A running service whose sync and reaper were heard of just now. */
async function running(): Promise<{
  service: Service;
  at: { sync: number; reaped: number };
  wrong: Incident[];
  what: MonitoredService;
}> {
  const service = await Service.start();
  closing.push(() => service[Symbol.asyncDispose]());
  const at = { sync: service.clock.now(), reaped: service.clock.now() };
  const wrong: Incident[] = [];
  const incidents = { current: () => wrong } as unknown as NonNullable<
    MonitoredService['services']['incidents']
  >;
  const what: MonitoredService = {
    services: { ...service.services, ledger: service.ledger, incidents },
    gateway: { numbers: async () => [] },
    syncedAt: () => at.sync,
    reapedAt: () => at.reaped,
  };
  return { service, at, wrong, what };
}

const kinds = (answer: Answer): unknown[] =>
  (answer.body['wrong'] as { kind: string }[]).map(({ kind }) => kind);
/** What was found out counts for a moment: see `coalesce.ts`. */
const soon = { timeout: 5_000, interval: 20 };
const value = (page: string, series: string): number => {
  const line = page.split('\n').find((one) => one.startsWith(`${series} `));
  if (line === undefined) throw new Error(`no ${series} in:\n${page}`);
  return Number(line.slice(series.length + 1));
};

test('before it works it lives, and says that it is not ready', async () => {
  const { ask, page, watched } = await watching();
  expect(await ask('/health')).toMatchObject({ status: 200, body: { status: 'ok' } });
  const ready = await ask('/ready');
  expect(ready).toMatchObject({ status: 503, type: 'application/json', body: { status: 'not ready' } });
  expect(kinds(ready)).toEqual(['starting']);
  const text = await page();
  expect(value(text, 'mintwarden_build_info{version="1.2.3"}')).toBe(1);
  expect(value(text, 'mintwarden_ready')).toBe(0);
  expect(value(text, 'process_resident_memory_bytes{process="bot"}')).toBeGreaterThan(10_000_000);
  watched.ending();
  await expect.poll(async () => kinds(await ask('/ready')), soon).toEqual(['ending']);
});

test('it is ready when nothing is wrong, and names each thing that is', async () => {
  const { watched, ask, page } = await watching();
  const { service, at, wrong, what } = await running();
  watched.started(what);
  await expect
    .poll(() => ask('/ready'), soon)
    .toMatchObject({ status: 200, body: { status: 'ready', wrong: [] } });
  await expect.poll(async () => value(await page(), 'mintwarden_ready'), soon).toBe(1);

  at.sync -= 70_000;
  await expect.poll(async () => kinds(await ask('/ready')), soon).toEqual(['sync']);
  at.sync = 0;
  await expect.poll(async () => kinds(await ask('/ready')), soon).toEqual(['sync']);
  at.sync = service.clock.now();
  at.reaped -= 120_000;
  await expect.poll(async () => kinds(await ask('/ready')), soon).toEqual(['reaper']);
  at.reaped = service.clock.now();
  wrong.push({
    kind: 'control-room-lost',
    since: 0,
    sentence: 'The bot is not in !secret:x any more.',
    next: 'Invite it.',
  });
  await expect.poll(async () => kinds(await ask('/ready')), soon).toEqual(['control-room-lost']);
  const lost = await ask('/ready');
  expect(JSON.stringify(lost.body)).not.toContain('!secret');
  await expect.poll(async () => value(await page(), 'mintwarden_ready'), soon).toBe(0);
  const text = await page();
  expect(value(text, 'mintwarden_trouble{kind="control-room-lost"}')).toBe(1);
  expect(value(text, 'mintwarden_trouble{kind="disk"}')).toBe(0);
  wrong.pop();
  await expect.poll(async () => (await ask('/ready')).status, soon).toBe(200);
});

test('a ledger that cannot be read is told, and does not take the page with it', async () => {
  const { watched, ask, page } = await watching();
  const { service, what } = await running();
  watched.started(what);
  await page();
  await service.ledger.close();
  await expect.poll(async () => kinds(await ask('/ready')), soon).toEqual(['ledger']);
  await expect.poll(async () => value(await page(), 'mintwarden_ledger_unreachable'), soon).toBe(1);
  expect((await ask('/health')).status).toBe(200);
  await service.open();
});

test('what is in the ledger is counted: grants by standing, what is due and for how long, the outbox, the audit', async () => {
  const { watched, page } = await watching();
  const { service, what } = await running();
  watched.started(what);
  const grant = await service.mint();
  await service.drain();
  let text = await page();
  expect(value(text, 'mintwarden_grants{standing="good"}')).toBe(1);
  expect(value(text, 'mintwarden_upstream_tokens{state="alive"}')).toBe(1);
  expect(value(text, 'mintwarden_due_rows{table="grants"}')).toBe(0);
  expect(value(text, 'mintwarden_due_oldest_seconds{table="grants"}')).toBe(0);
  expect(value(text, 'mintwarden_audit_rows')).toBeGreaterThanOrEqual(1);
  // An hour and a minute later nobody has ended it.
  service.clock.at += 61 * 60_000;
  await expect.poll(async () => value(await page(), 'mintwarden_due_rows{table="grants"}'), soon).toBe(1);
  text = await page();
  expect(value(text, 'mintwarden_due_oldest_seconds{table="grants"}')).toBe(60);
  await service.revoke(await service.grant(grant.id));
  await expect.poll(async () => value(await page(), 'mintwarden_grants{standing="good"}'), soon).toBe(0);
  text = await page();
  expect(value(text, 'mintwarden_grants{standing="ended"}')).toBe(1);
  expect(value(text, 'mintwarden_outbox_waiting')).toBeGreaterThanOrEqual(1);
  for (const who of [grant.id, grant.subject, 'alice', 'example', '!', '@'])
    expect(text).not.toContain(`"${who}`);
});

test('it answers what is asked, and nothing else', async () => {
  const { ask } = await watching();
  expect((await ask('/')).status).toBe(404);
  expect((await ask('/metrics/../etc')).status).toBe(404);
  expect((await ask('/health?a=b')).status).toBe(200);
  expect((await ask('/ready', 'HEAD')).status).toBe(503);
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS'])
    expect((await ask('/health', method)).status).toBe(405);
});

test('many who ask at once are answered by one look', async () => {
  const { watched, ask } = await watching();
  const { what } = await running();
  let looks = 0;
  const { ledger } = what.services;
  const counts = async (): ReturnType<typeof ledger.counts> => {
    looks += 1;
    await settled(1_000);
    return ledger.counts();
  };
  watched.started({ ...what, services: { ...what.services, ledger: { ...ledger, counts } } });
  const answers = await Promise.all(Array.from({ length: 50 }, () => ask('/ready')));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect(looks).toBeLessThan(5);
});

test('a port that is taken is said with the key; without a listener nothing is opened', async () => {
  const { watched } = await watching();
  await expect(startMonitoring(config(watched.port ?? 0), '1')).rejects.toMatchObject({
    code: 'configuration',
    hint: expect.stringContaining('monitoring.listen'),
  });
  const none = await startMonitoring({ monitoring: { listen: null } } as Config, '1');
  expect(none.port).toBeNull();
  await none.close();
});
