import { expect, test } from 'vitest';
import { INCIDENT_KINDS } from '../../../src/domain/incident.ts';
import { exposition, numbersOf } from '../../../src/telemetry/metrics/exposition.ts';
import { gatewayMetrics } from '../../../src/telemetry/metrics/gateway-metrics.ts';
import { serviceMetrics } from '../../../src/telemetry/metrics/service-metrics.ts';
import { metricsIn, metricsOf } from './page.ts';
import { alerts, alertsPage, expressions, panels } from './watching-files.ts';

// That the names are those of the running service is tested in test/e2e/metrics.test.ts too.
const page = await exposition(
  await Promise.all(
    [serviceMetrics('1'), gatewayMetrics('gateway-1')].map(({ registry }) => numbersOf(registry)),
  ),
);

test.each(expressions())('$where asks for what there is', ({ expression }) => {
  const names = metricsIn(page);
  expect(metricsOf(expression).length).toBeGreaterThan(0);
  expect(metricsOf(expression).filter((name) => !names.has(name))).toEqual([]);
  for (const [, kinds = ''] of expression.matchAll(/kind=~?"([^"]+)"/g)) {
    for (const kind of kinds.split('|')) expect(INCIDENT_KINDS).toContain(kind);
  }
});

test('a metric that there is not would be found', () => {
  expect(metricsOf('sum(rate(mintwarden_made_up_total{a="mintwarden_in_text"}[5m]))')).toEqual([
    'mintwarden_made_up_total',
  ]);
  expect(metricsIn(page).has('mintwarden_made_up_total')).toBe(false);
});

test('each kind of trouble has an alert', () => {
  const asked = alerts()
    .map(({ expr }) => expr)
    .join(' ');
  for (const kind of INCIDENT_KINDS) expect(asked).toMatch(new RegExp(`["|]${kind}["|]`));
});

test('each metric of Mintwarden’s own stands on the dashboard or in an alert', () => {
  const asked = new Set(expressions().flatMap(({ expression }) => metricsOf(expression)));
  const own = [...metricsIn(page)].filter(
    (name) => name.startsWith('mintwarden_') && !/_(?:sum|count)$/.test(name),
  );
  const forWhom = new Set(['mintwarden_sync_answer_timestamp_seconds']);
  expect(own.filter((name) => !asked.has(name) && !forWhom.has(name))).toEqual([]);
});

test('each alert has a part of its own in docs/alerts.md, and each part an alert', () => {
  const headings = [...alertsPage().matchAll(/^## (Mintwarden\w+)$/gm)].map(([, name]) => name);
  expect(headings).toEqual(alerts().map(({ alert }) => alert));
  for (const { alert, annotations, labels } of alerts()) {
    expect(annotations['runbook']).toBe(`docs/alerts.md#${alert.toLowerCase()}`);
    expect(annotations['summary']?.length).toBeGreaterThan(20);
    expect(labels['severity']).toMatch(/^(?:critical|warning)$/);
  }
});

test('each part says what to do', () => {
  for (const part of alertsPage()
    .split(/^## (?=Mintwarden)/m)
    .slice(1)) {
    expect(part).toMatch(/\*\*What to do\.\*\* \S/);
    expect(part.length).toBeGreaterThan(200);
  }
});

test('the dashboard has a row per theme, and says of each panel what it shows', () => {
  const all = panels();
  expect(all.filter(({ type }) => type === 'row').length).toBeGreaterThanOrEqual(5);
  expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  const bare = all.filter(
    ({ type, description = '', targets = [] }) =>
      type !== 'row' && (description.length < 6 || targets.length === 0),
  );
  expect(bare.map(({ title }) => title)).toEqual([]);
});
