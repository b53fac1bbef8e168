import { Counter, Gauge, Registry } from 'prom-client';
import { DurationHistogram } from './duration-histogram.ts';
import { errcodeLabel } from './errcodes.ts';
import { processMetrics } from './process-metrics.ts';

/** What is counted of a request: the gateway's own words for it, so that neither room imports the other. */
export type CountedRequest = {
  readonly operation: string;
  readonly outcome: 'answered' | 'cut' | 'left';
  readonly status: number;
  readonly errcode: string | null;
  /** Milliseconds, all of it, and what of it the homeserver took; 0: it was not asked. */
  readonly ms: number;
  readonly homeserverMs: number;
  /** Whether its time is a measure of us: not of a long-poll, of a file, or of what was no request. */
  readonly timed: boolean;
};

/** The numbers of one gateway, in whatever process. */
export type GatewayMetrics = {
  readonly registry: Registry;
  readonly answered: (request: CountedRequest) => void;
  readonly polling: (change: 1 | -1) => void;
};

const OWN_S = [0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 1];
const HOMESERVER_S = [0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30];

/**
 * Counts requests. No label says whose they were, or of what room: an operation is one of the catalogue, a
 * code one of the specification.
 * @param process what this one is called in the figures of processes; null: another tells them
 */
export function gatewayMetrics(process: string | null): GatewayMetrics {
  const registry = new Registry();
  const registers = [registry];
  if (process !== null) processMetrics(registry, process);
  /** By operation and status. Plain numbers until somebody looks: labels cost as much as all the rest. */
  const counted = new Map<string, Map<string, number>>();
  void new Counter({
    name: 'mintwarden_gateway_requests_total',
    help: 'Requests, by operation of the catalogue and status; `cut`: refused without an answer, `left`: the holder did not wait for it.',
    labelNames: ['operation', 'status'] as const,
    registers,
    collect() {
      this.reset();
      for (const [operation, byStatus] of counted)
        for (const [status, count] of byStatus) this.inc({ operation, status }, count);
    },
  });
  const refusals = new Counter({
    name: 'mintwarden_gateway_refusals_total',
    help: 'Requests that were refused or failed, by status, Matrix error code, and whether the homeserver was asked first.',
    labelNames: ['status', 'errcode', 'asked'] as const,
    registers,
  });
  const own = new DurationHistogram(
    'mintwarden_gateway_own_seconds',
    'Time a request spent in the gateway itself. Long-polls and files are left out.',
    OWN_S,
    registry,
  );
  const homeserver = new DurationHistogram(
    'mintwarden_gateway_homeserver_seconds',
    'Time the homeserver took for a request that was asked of it. Long-polls and files are left out.',
    HOMESERVER_S,
    registry,
  );
  const polls = new Gauge({
    name: 'mintwarden_gateway_open_long_polls',
    help: 'Syncs that wait for news right now.',
    registers,
  });
  let lastAt = 0;
  let contactAt = 0;
  const at = (name: string, help: string, read: () => number): Gauge =>
    new Gauge({
      name,
      help,
      registers,
      aggregator: 'max',
      collect() {
        this.set(read() / 1_000);
      },
    });
  at(
    'mintwarden_gateway_last_request_timestamp_seconds',
    'When a request was last answered; 0: not yet.',
    () => lastAt,
  );
  at(
    'mintwarden_gateway_homeserver_answer_timestamp_seconds',
    'When the homeserver last answered a request of a holder; 0: not yet.',
    () => contactAt,
  );

  return {
    registry,
    polling: (change) => polls.inc(change),
    answered({ operation, outcome, status, errcode, ms, homeserverMs, timed }) {
      const asked = homeserverMs > 0;
      const how = outcome === 'answered' ? String(status) : outcome;
      count(counted, operation, how);
      if (outcome === 'left') return;
      if (outcome === 'cut' || status >= 400) {
        refusals.inc({ status: how, errcode: errcodeLabel(errcode), asked: asked ? 'yes' : 'no' });
      }
      lastAt = Date.now();
      if (asked && status !== 0 && status < 500) contactAt = lastAt;
      if (!timed) return;
      own.add(operation, Math.max(0, ms - homeserverMs) / 1_000);
      if (asked) homeserver.add(operation, homeserverMs / 1_000);
    },
  };
}

function count(counted: Map<string, Map<string, number>>, operation: string, status: string): void {
  let byStatus = counted.get(operation);
  if (byStatus === undefined) counted.set(operation, (byStatus = new Map()));
  byStatus.set(status, (byStatus.get(status) ?? 0) + 1);
}
