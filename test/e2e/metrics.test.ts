import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { command, mint, takeDelivery, takeNotice } from '../harness/control-room.ts';
import { setTheStage, type Stage } from '../harness/stage.ts';
import { CATALOGUE } from '../../src/gateway/endpoints/catalogue.ts';
import { metricsIn, metricsOf } from '../app/monitoring/page.ts';
import { alertsPage, expressions } from '../app/monitoring/watching-files.ts';
import { until } from '../support/wait.ts';

let stage: Stage;
let grant = '';
let token = '';

beforeAll(async () => {
  stage = await setTheStage({ proxied: true, config: { 'gateway.processes': 2, 'log.level': 'debug' } });
});
// Which also searches all that was logged and counted for tokens, names and texts.
afterAll(() => stage[Symbol.asyncDispose]());

const page = async (): Promise<string> => (await fetch(`${stage.mintwarden.monitoringUrl}/metrics`)).text();
const ready = async (): Promise<{ status: number; kinds: string[] }> => {
  const answer = await fetch(`${stage.mintwarden.monitoringUrl}/ready`);
  const { wrong } = (await answer.json()) as { wrong: { kind: string }[] };
  return { status: answer.status, kinds: wrong.map(({ kind }) => kind) };
};
const value = async (series: string): Promise<number> => {
  const line = (await page()).split('\n').find((one) => one.startsWith(`${series} `));
  return line === undefined ? 0 : Number(line.slice(series.length + 1));
};

/**
 * Waits for a page that was worked out after now, which is not done more often than every two seconds. No two
 * are the same: each counts the processor time so far.
 */
async function freshPage(): Promise<void> {
  const old = await page();
  await until(async () => (await page()) !== old, 5_000, 100);
}

/** On a connection of its own, so that it falls to any of the processes. */
async function ask(
  path: string,
  { as = token, signal }: { as?: string; signal?: AbortSignal } = {},
): Promise<{ status: number; body: Record<string, unknown> }> {
  const answer = await fetch(`${stage.mintwarden.gatewayUrl}/_matrix/client/v3${path}`, {
    headers: { authorization: `Bearer ${as}`, connection: 'close' },
    ...(signal && { signal }),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}
const messagesOf = (room: string): string => `/rooms/${encodeURIComponent(room)}/messages?dir=b&limit=5`;
const requests = (operation: string, status: number): Promise<number> =>
  value(`mintwarden_gateway_requests_total{operation="${operation}",status="${String(status)}"}`);

function gatewayPids(): readonly number[] {
  const pid = String(stage.mintwarden.pid);
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter(Boolean)
    .map(Number);
  return children.filter((child) =>
    readFileSync(`/proc/${String(child)}/cmdline`, 'utf8').includes('gateway-process'),
  );
}

test('it lives and is ready, and what it made is counted', async () => {
  expect((await fetch(`${stage.mintwarden.monitoringUrl}/health`)).status).toBe(200);
  expect(await ready()).toEqual({ status: 200, kinds: [] });
  grant = await mint(stage, `!mint @alice --rooms ${stage.ops} --ttl 1h --reason "watched all the while"`);
  await takeNotice(stage, stage.alice, grant);
  ({ token } = await takeDelivery(stage, stage.olivia, grant));
  await freshPage();
  expect(await value('mintwarden_grants{standing="good"}')).toBe(1);
  expect(await value('mintwarden_upstream_tokens{state="alive"}')).toBe(1);
  expect(await value('mintwarden_audit_rows')).toBeGreaterThan(0);
  expect(await value('mintwarden_sync_lag_seconds')).toBeLessThan(35);
  expect(await value('mintwarden_ledger_commit_seconds_count{result="committed"}')).toBeGreaterThan(2);
  expect(await value('mintwarden_reaper_task_seconds_count{kind="room"}')).toBeGreaterThan(0);
});

test('what all gateway processes answered adds up', async () => {
  for (let i = 0; i < 40; i++) expect((await ask(messagesOf(stage.ops))).status).toBe(200);
  for (let i = 0; i < 7; i++) expect((await ask(messagesOf(stage.diary))).status).toBe(403);
  for (let i = 0; i < 5; i++)
    expect((await ask(messagesOf(stage.ops), { as: `${token.slice(0, -1)}x` })).status).toBe(401);
  await freshPage();
  expect(await requests('getRoomEvents', 200)).toBe(40);
  expect(await requests('getRoomEvents', 403)).toBe(7);
  expect(
    await value('mintwarden_gateway_refusals_total{status="403",errcode="M_FORBIDDEN",asked="no"}'),
  ).toBe(7);
  expect(
    await value('mintwarden_gateway_refusals_total{status="401",errcode="M_UNKNOWN_TOKEN",asked="no"}'),
  ).toBe(5);
  const own = await value('mintwarden_gateway_own_seconds_sum{operation="getRoomEvents"}');
  const homeserver = await value('mintwarden_gateway_homeserver_seconds_sum{operation="getRoomEvents"}');
  // Each took the homeserver milliseconds and us much less.
  expect(own).toBeGreaterThan(0);
  expect(homeserver).toBeGreaterThan(own);
  expect(await value('mintwarden_gateway_homeserver_seconds_count{operation="getRoomEvents"}')).toBe(40);
  for (const name of ['bot', 'gateway-1', 'gateway-2']) {
    expect(await value(`process_resident_memory_bytes{process="${name}"}`)).toBeGreaterThan(20_000_000);
  }
});

test('open long-polls are counted while they are open, and take no part in latency', async () => {
  const { body } = await ask('/sync?timeout=0');
  const before = await value('mintwarden_gateway_own_seconds_count{operation="sync"}');
  const leaving = new AbortController();
  const path = `/sync?timeout=30000&since=${encodeURIComponent(String(body['next_batch']))}`;
  const open = Array.from({ length: 6 }, () => ask(path, { signal: leaving.signal }).catch(() => null));
  await expect.poll(() => value('mintwarden_gateway_open_long_polls'), { timeout: 5_000 }).toBe(6);
  leaving.abort();
  await Promise.all(open);
  await expect.poll(() => value('mintwarden_gateway_open_long_polls'), { timeout: 5_000 }).toBe(0);
  await expect
    .poll(() => value('mintwarden_gateway_requests_total{operation="sync",status="left"}'), {
      timeout: 5_000,
    })
    .toBe(6);
  expect(before).toBe(0);
  expect(await value('mintwarden_gateway_own_seconds_count{operation="sync"}')).toBe(0);
});

test('a gateway process that dies takes nothing of the sums with it', async () => {
  await freshPage();
  const [victim] = gatewayPids();
  if (victim === undefined) throw new Error('there is no gateway process');
  process.kill(victim, 'SIGKILL');
  await expect.poll(() => gatewayPids().filter((pid) => pid !== victim).length, { timeout: 10_000 }).toBe(2);
  await expect.poll(async () => (await ask(messagesOf(stage.ops))).status, { timeout: 10_000 }).toBe(200);
  await freshPage();
  const counted = await requests('getRoomEvents', 200);
  expect(counted).toBeGreaterThanOrEqual(41);
  for (let i = 0; i < 10; i++) await ask(messagesOf(stage.ops));
  await freshPage();
  expect(await requests('getRoomEvents', 200)).toBe(counted + 10);
});

test('every label is one of a closed set, and every expression of the dashboard and the alerts names what is there', async () => {
  const text = await page();
  const names = metricsIn(text);
  expect(
    expressions()
      .flatMap(({ expression }) => metricsOf(expression))
      .filter((name) => !names.has(name)),
  ).toEqual([]);
  const operations = new Set([
    ...CATALOGUE.map(({ id }) => id),
    'none',
    'ambiguous',
    'method',
    'malformed',
    'connection',
  ]);
  const allowed: Record<string, (label: string) => boolean> = {
    operation: (label) => operations.has(label),
    status: (label) => /^(?:\d{3}|cut|left)$/.test(label),
    errcode: (label) => /^(?:M_[A-Z_]+|none|other)$/.test(label),
    asked: (label) => /^(?:yes|no)$/.test(label),
    standing: (label) => /^(?:minting|good|suspended|ended|failed)$/.test(label),
    state: (label) => /^[a-z]+$/.test(label),
    table: (label) => /^(?:grants|leases|messages)$/.test(label),
    kind: (label) => /^[a-z-]+$/.test(label),
    result: (label) => /^(?:committed|conflict|seen|failed)$/.test(label),
    process: (label) => /^(?:bot|gateway-\d+)$/.test(label),
    version: (label) => /^\d+\.\d+\.\d+/.test(label),
    le: (label) => /^(?:[\d.e-]+|\+Inf)$/.test(label),
  };
  const strange: string[] = [];
  for (const [, name = '', label = ''] of text.matchAll(/(\w+)="([^"]*)"/g)) {
    if (allowed[name]?.(label) !== true) strange.push(`${name}="${label}"`);
  }
  expect(strange).toEqual([]);
  for (const secret of [grant, stage.ops, stage.users.alice.userId, 'alice', 'olivia'])
    expect(text).not.toContain(secret);
});

test('without its homeserver it lives, is not ready and says why; with it again it is', async () => {
  await stage.proxy.refuseConnections();
  await expect
    .poll(async () => (await ready()).kinds, { timeout: 60_000, interval: 500 })
    .toContain('homeserver-away');
  expect((await ready()).status).toBe(503);
  await freshPage();
  expect(await value('mintwarden_trouble{kind="homeserver-away"}')).toBe(1);
  expect(await value('mintwarden_ready')).toBe(0);
  expect((await fetch(`${stage.mintwarden.monitoringUrl}/health`)).status).toBe(200);
  await stage.proxy.acceptConnections();
  await expect.poll(async () => (await ready()).kinds, { timeout: 30_000, interval: 500 }).toEqual([]);
}, 120_000);

test('what docs/alerts.md says to type can be typed', async () => {
  const lines = new Set(
    [...alertsPage().matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, block = '']) =>
      block.trim().split('\n'),
    ),
  );
  expect(lines.size).toBeGreaterThan(5);
  for (const line of lines) {
    if (line === 'curl -s http://127.0.0.1:9464/ready') continue;
    const [program, ...words] = line.split(' ');
    expect(program).toBe('mintwarden');
    const { status, output } = await stage.mintwarden.command(...words);
    // Doctor has something to say of a gateway without TLS; recover, of a state that is no old copy.
    const said = {
      line,
      output,
      understood: status !== 2,
      done: status === 0 || words[0] === 'doctor' || words[0] === 'recover',
    };
    expect(said).toEqual({ line, output, understood: true, done: true });
  }
});

test('what is killed is counted so, and the last page is taken when it ends', async () => {
  await command(stage, `!revoke ${grant}`);
  await expect.poll(() => value('mintwarden_upstream_tokens{state="dead"}'), { timeout: 10_000 }).toBe(1);
  expect(await value('mintwarden_grants{standing="ended"}')).toBe(1);
  await stage.mintwarden.stop();
  expect(stage.mintwarden.pages.at(-1)).toContain('mintwarden_grants{standing="ended"} 1');
});
