import { beforeEach, expect, test } from 'vitest';
import { exposition, numbersOf, type Numbers } from '../../../src/telemetry/metrics/exposition.ts';
import { type GatewayMetrics, gatewayMetrics } from '../../../src/telemetry/metrics/gateway-metrics.ts';
import { tally } from '../../../src/telemetry/metrics/tally.ts';

const READ = {
  operation: 'getRoomEvents',
  outcome: 'answered',
  status: 200,
  errcode: null,
  ms: 10,
  homeserverMs: 8,
  timed: true,
} as const;

let metrics: GatewayMetrics;
beforeEach(() => {
  metrics = gatewayMetrics(null);
});
const page = async (): Promise<string> => exposition([await numbersOf(metrics.registry)]);
const series = (text: string, start: string): string[] =>
  text.split('\n').filter((line) => line.startsWith(start));

test('a request’s time is split into the gateway’s and the homeserver’s', async () => {
  metrics.answered(READ);
  metrics.answered({ ...READ, ms: 3, homeserverMs: 0 });
  const text = await page();
  expect(series(text, 'mintwarden_gateway_own_seconds_sum')[0]).toMatch(
    /\{operation="getRoomEvents"\} 0\.005$/,
  );
  expect(series(text, 'mintwarden_gateway_homeserver_seconds_sum')[0]).toMatch(/ 0\.008$/);
  expect(series(text, 'mintwarden_gateway_homeserver_seconds_count')[0]).toMatch(/ 1$/);
});

test('long-polls and files are no latency, but requests all the same', async () => {
  for (const operation of ['sync', 'slidingSync', 'getContentAuthed', 'uploadContent'])
    metrics.answered({ ...READ, operation, ms: 30_000, timed: false });
  const text = await page();
  expect(series(text, 'mintwarden_gateway_own_seconds_count')).toEqual([]);
  expect(series(text, 'mintwarden_gateway_requests_total')).toHaveLength(4);
});

test('open long-polls are those that are open', async () => {
  metrics.polling(1);
  metrics.polling(1);
  metrics.polling(-1);
  expect(await page()).toMatch(/^mintwarden_gateway_open_long_polls 1$/m);
});

test('who left is no refusal; who was cut off is one', async () => {
  metrics.answered({ ...READ, outcome: 'left', status: 0 });
  metrics.answered({ ...READ, outcome: 'cut', status: 0, homeserverMs: 0 });
  metrics.answered({ ...READ, status: 403, errcode: 'M_FORBIDDEN', homeserverMs: 0 });
  metrics.answered({ ...READ, status: 404, errcode: 'M_NOT_FOUND' });
  expect(series(await page(), 'mintwarden_gateway_refusals_total').toSorted()).toEqual([
    'mintwarden_gateway_refusals_total{status="403",errcode="M_FORBIDDEN",asked="no"} 1',
    'mintwarden_gateway_refusals_total{status="404",errcode="M_NOT_FOUND",asked="yes"} 1',
    'mintwarden_gateway_refusals_total{status="cut",errcode="none",asked="no"} 1',
  ]);
});

test('whatever a homeserver gives as a code, the labels are a closed set', async () => {
  for (const errcode of [
    'syt_YWxpY2U_JIaEOKsvZHfZpAIKdWVa_4MaEpa',
    '!room:test',
    '@alice:test',
    'M_MADE_UP',
    '"} 1\nforged 1',
  ]) {
    metrics.answered({ ...READ, status: 400, errcode });
  }
  for (let i = 0; i < 1_000; i++)
    metrics.answered({ ...READ, status: 400, errcode: `ORG.EXAMPLE.${String(i)}` });
  expect(series(await page(), 'mintwarden_gateway_refusals_total')).toEqual([
    'mintwarden_gateway_refusals_total{status="400",errcode="other",asked="yes"} 1005',
  ]);
});

/** What two processes have counted, as it comes over the pipe. */
async function counted(requests: number, polls = 0): Promise<Numbers> {
  const one = gatewayMetrics(null);
  for (let i = 0; i < requests; i++) one.answered(READ);
  for (let i = 0; i < polls; i++) one.polling(1);
  return JSON.parse(JSON.stringify(await numbersOf(one.registry))) as Numbers;
}
const total = async (parts: readonly Numbers[]): Promise<(string | undefined)[]> => {
  const text = await exposition(parts);
  return [
    'mintwarden_gateway_requests_total',
    'mintwarden_gateway_own_seconds_count',
    'mintwarden_gateway_open_long_polls',
  ].map((name) => series(text, name)[0]?.split(' ').at(-1));
};

test('processes add up', async () => {
  expect(await total([await counted(3, 1), await counted(4, 2)])).toEqual(['7', '7', '3']);
});

test('a process that ends or says nothing takes nothing of the sums with it, but what is open there', async () => {
  const kept = tally();
  expect(
    await total(
      await kept([
        { pid: 1, numbers: await counted(3, 1) },
        { pid: 2, numbers: await counted(4, 2) },
      ]),
    ),
  ).toEqual(['7', '7', '3']);
  expect(
    await total(
      await kept([
        { pid: 1, numbers: null },
        { pid: 2, numbers: await counted(5, 2) },
      ]),
    ),
  ).toEqual(['8', '8', '3']);
  expect(await total(await kept([{ pid: 2, numbers: await counted(6, 2) }]))).toEqual(['9', '9', '2']);
  expect(
    await total(
      await kept([
        { pid: 2, numbers: await counted(6, 2) },
        { pid: 3, numbers: await counted(1) },
      ]),
    ),
  ).toEqual(['10', '10', '2']);
  for (let pid = 4; pid < 40; pid++) await kept([{ pid, numbers: await counted(1) }]);
  expect(await total(await kept([]))).toEqual(['46', '46', undefined]);
});
