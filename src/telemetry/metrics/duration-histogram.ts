import { Histogram, type MetricObjectWithValues, type MetricValueWithName, type Registry } from 'prom-client';

/** What was observed under one label. */
type Cell = {
  /** Observations up to each bound that are above the one before; the last: above all. */
  readonly counts: number[];
  sum: number;
};

/**
 * A histogram of durations by operation, for what is observed with each request. prom-client's own checks and
 * hashes the labels of each observation; here that is a look into a map, and all else is left to when someone
 * asks. What `get` says is what prom-client's would say.
 */
export class DurationHistogram extends Histogram<'operation'> {
  readonly #bounds: readonly number[];
  readonly #cells = new Map<string, Cell>();

  /** @param bounds upper ones of the buckets, in seconds, ascending */
  constructor(name: string, help: string, bounds: readonly number[], registry: Registry) {
    super({ name, help, labelNames: ['operation'], buckets: [...bounds], registers: [registry] });
    this.#bounds = bounds;
  }

  /** Counts one duration, in seconds. */
  add(operation: string, seconds: number): void {
    let cell = this.#cells.get(operation);
    if (cell === undefined) {
      cell = { counts: Array.from({ length: this.#bounds.length + 1 }, () => 0), sum: 0 };
      this.#cells.set(operation, cell);
    }
    let bucket = 0;
    while (bucket < this.#bounds.length && seconds > (this.#bounds[bucket] as number)) bucket++;
    cell.counts[bucket] = (cell.counts[bucket] as number) + 1;
    cell.sum += seconds;
  }

  override async get(): Promise<MetricObjectWithValues<MetricValueWithName<'operation'>>> {
    const empty = await super.get();
    return {
      ...empty,
      values: [...this.#cells].flatMap(([operation, cell]) => this.#values(empty.name, operation, cell)),
    };
  }

  #values(name: string, operation: string, { counts, sum }: Cell): MetricValueWithName<'operation'>[] {
    let count = 0;
    const buckets = counts.map((more, at) => {
      count += more;
      const labels = { le: this.#bounds[at] ?? '+Inf', operation };
      return { metricName: `${name}_bucket`, labels, value: count };
    });
    const labels = { operation };
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels, value: sum },
      { metricName: `${name}_count`, labels, value: count },
    ];
  }
}
