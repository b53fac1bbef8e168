import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, type Registry } from 'prom-client';

const NS = 1e9;
/** The time between two looks at the clock. What is measured holds it; it is taken off again. */
const RESOLUTION_MS = 20;

/**
 * Adds what can be said of this process, under the names that dashboards for Prometheus and Node know:
 * processor time, memory, when it started, and how long other work kept its event loop from its turn, at
 * worst since somebody last looked.
 * @param name tells the processes apart: `bot`, `gateway-1`, …
 */
export function processMetrics(registry: Registry, name: string): void {
  const registers = [registry];
  const labelNames = ['process'] as const;
  const gauge = (called: string, help: string, read: () => number): Gauge<'process'> =>
    new Gauge({
      name: called,
      help,
      labelNames,
      registers,
      collect() {
        this.set({ process: name }, read());
      },
    });
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  const late = (ns: number): number =>
    Number.isFinite(ns) ? Math.max(0, ns / NS - RESOLUTION_MS / 1_000) : 0;
  let spent = 0;
  const cpu: Counter<'process'> = new Counter({
    name: 'process_cpu_seconds_total',
    help: 'Processor time used, in all threads.',
    labelNames,
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      const all = (user + system) / 1e6;
      cpu.inc({ process: name }, all - spent);
      spent = all;
    },
  });
  gauge('process_resident_memory_bytes', 'Memory in use.', () => process.memoryUsage.rss());
  gauge('process_start_time_seconds', 'When it started.', () =>
    Math.round(Date.now() / 1_000 - process.uptime()),
  );
  gauge(
    'nodejs_heap_size_used_bytes',
    'Memory in use by objects of JavaScript.',
    () => process.memoryUsage().heapUsed,
  );
  gauge('nodejs_eventloop_lag_p99_seconds', 'How late 99 of 100 turns of the event loop were at most.', () =>
    late(delay.percentile(99)),
  );
  gauge('nodejs_eventloop_lag_max_seconds', 'How late the latest of them was.', () => {
    const max = late(delay.max);
    delay.reset();
    return max;
  });
}
