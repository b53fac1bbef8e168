import { AggregatorRegistry, Registry } from 'prom-client';

/** Numbers of one process, as plain data that can be sent to another. */
export type Numbers = readonly object[];

/** What a registry holds at this moment. */
export async function numbersOf(registry: Registry): Promise<Numbers> {
  return registry.getMetricsAsJSON();
}

/**
 * Numbers of several processes as one page of Prometheus text. Those of one name are added up, or as each
 * says.
 */
export async function exposition(parts: readonly Numbers[]): Promise<string> {
  return aggregate(parts).metrics();
}

/** Numbers of several processes as those of one. */
export async function sum(parts: readonly Numbers[]): Promise<Numbers> {
  return aggregate(parts).getMetricsAsJSON();
}

function aggregate(parts: readonly Numbers[]): Registry {
  return AggregatorRegistry.aggregate(parts.map((part) => [...part]));
}

/** How that page is labelled in HTTP: the text format 0.0.4. */
export const CONTENT_TYPE: string = Registry.PROMETHEUS_CONTENT_TYPE;
