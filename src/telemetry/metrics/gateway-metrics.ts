import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** What is counted of a request: the gateway's own word for it, so that neither room imports the other. */
export type CountedRequest = {
  readonly operation: string;
  readonly status: number;
  readonly errcode: string | null;
  /** Milliseconds, all of it, and what of it the homeserver took. */
  readonly ms: number;
  readonly homeserverMs: number;
};

/** The numbers of one gateway, in whatever process. */
export type GatewayMetrics = {
  readonly registry: Registry;
  readonly observe: (request: CountedRequest) => void;
};

/** Operations whose time is not ours: they wait for news, or for whoever reads a file. */
const TIMELESS: ReadonlySet<string> = new Set([
  'sync',
  'slidingSync',
  'getContentAuthed',
  'getContentOverrideNameAuthed',
  'getContentThumbnailAuthed',
  'uploadContent',
  'uploadContentToMXC',
]);
const BUCKETS_S = [0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30];
/** Whatever a homeserver says, a label has no more values than this. */
const MAX_CODES = 60;

/** Counts requests. No label says whose they were or of what room. */
export function gatewayMetrics(): GatewayMetrics {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Counter({
    name: 'mintwarden_gateway_requests_total',
    help: 'Requests that were answered, by operation of the catalogue and status.',
    labelNames: ['operation', 'status'] as const,
    registers,
  });
  const refusals = new Counter({
    name: 'mintwarden_gateway_refusals_total',
    help: 'Requests that were refused or failed, by status and Matrix error code.',
    labelNames: ['status', 'errcode'] as const,
    registers,
  });
  const own = new Histogram({
    name: 'mintwarden_gateway_own_seconds',
    help: 'Time a request spent in the gateway itself. Long-polls and files are left out.',
    buckets: BUCKETS_S,
    registers,
  });
  const homeserver = new Histogram({
    name: 'mintwarden_gateway_homeserver_seconds',
    help: 'Time the homeserver took for a request that was asked of it. Long-polls and files are left out.',
    buckets: BUCKETS_S,
    registers,
  });
  const last = new Gauge({
    name: 'mintwarden_gateway_last_request_timestamp_seconds',
    help: 'When a request was last answered.',
    registers,
    aggregator: 'max',
  });
  const codes = new Set<string>();
  const codeOf = (errcode: string | null): string => {
    const code = errcode ?? 'none';
    if (!codes.has(code) && codes.size >= MAX_CODES) return 'other';
    codes.add(code);
    return code;
  };

  return {
    registry,
    observe({ operation, status, errcode, ms, homeserverMs }) {
      requests.inc({ operation, status: String(status) });
      if (status >= 400 || status === 0) refusals.inc({ status: String(status), errcode: codeOf(errcode) });
      last.setToCurrentTime();
      if (TIMELESS.has(operation)) return;
      own.observe(Math.max(0, ms - homeserverMs) / 1_000);
      if (homeserverMs > 0) homeserver.observe(homeserverMs / 1_000);
    },
  };
}
