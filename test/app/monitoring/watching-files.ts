import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

const ROOT = join(import.meta.dirname, '../../..');

/** An alert of `config/alerts.yaml`. */
export type Alert = {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
};
/** A panel of `config/grafana-dashboard.json`, as far as it matters here. */
export type Panel = {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly targets?: readonly { readonly expr: string }[];
};

/** All of them. */
export function alerts(): readonly Alert[] {
  const file = parse(readFileSync(join(ROOT, 'config/alerts.yaml'), 'utf8')) as {
    groups: { rules: Alert[] }[];
  };
  return file.groups.flatMap(({ rules }) => rules);
}

/** All of them, rows included. */
export function panels(): readonly Panel[] {
  return (
    JSON.parse(readFileSync(join(ROOT, 'config/grafana-dashboard.json'), 'utf8')) as { panels: Panel[] }
  ).panels;
}

/** All that Prometheus is asked by these files. */
export function expressions(): readonly { readonly where: string; readonly expression: string }[] {
  return [
    ...alerts().map(({ alert, expr }) => ({ where: alert, expression: expr })),
    ...panels().flatMap(({ title, targets = [] }) =>
      targets.map(({ expr }) => ({ where: title, expression: expr })),
    ),
  ];
}

/** docs/alerts.md. */
export function alertsPage(): string {
  return readFileSync(join(ROOT, 'docs/alerts.md'), 'utf8');
}
