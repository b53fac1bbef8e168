import { fileURLToPath } from 'node:url';
import type { Config } from '../config/index.ts';
import { startGatewayProcesses } from '../gateway/processes/gateway-processes.ts';
import { type GatewayOptions, startGateway } from '../gateway/server.ts';
import type { Ledger } from '../ports/ledger.ts';
import { type Numbers, numbersOf } from '../telemetry/metrics/exposition.ts';
import { gatewayMetrics } from '../telemetry/metrics/gateway-metrics.ts';
import { tally } from '../telemetry/metrics/tally.ts';

/**
 * A gateway that listens, in whatever processes. `numbers`: what has been counted, in parts that are to be
 * added up; none where nobody watches.
 */
export type RunningGateway = {
  readonly port: number;
  numbers(): Promise<readonly Numbers[]>;
  close(): Promise<void>;
};

/** As in `src/mintwarden.mjs`, which says why. */
const FLAGS = ['--max-semi-space-size=16', '--no-allocation-site-pretenuring'];
const PROGRAM = fileURLToPath(new URL('gateway-process.ts', import.meta.url));

/**
 * Starts the gateway as configured: in this process, or in as many of its own.
 * @throws MintwardenError `configuration` where it cannot listen
 */
export async function startConfiguredGateway(
  config: Config,
  ledger: Ledger,
  options: GatewayOptions,
): Promise<RunningGateway> {
  const { processes } = config.gateway;
  const isWatched = config.monitoring.listen !== null;
  if (processes === 0) {
    const metrics = isWatched ? gatewayMetrics(null) : null;
    const gateway = await startGateway({ ...options, ...(metrics !== null && { observer: metrics }) });
    return {
      port: gateway.port,
      numbers: async () => (metrics === null ? [] : [await numbersOf(metrics.registry)]),
      close: () => gateway.close(),
    };
  }
  const {
    accessControl: access,
    transactions,
    clock,
    log,
    sentence: _,
    rateLimiters: __,
    uploads: ___,
    observer: ____,
    onFiltersDiffer,
    ...setup
  } = options;
  const running = await startGatewayProcesses({
    count: processes,
    program: {
      file: PROGRAM,
      args: [config.log.level, config.log.format, isWatched ? 'watched' : 'unwatched'],
      flags: FLAGS,
    },
    setup,
    access,
    transactions,
    ledger,
    folder: config.state_dir,
    onFiltersDiffer,
    clock,
    log,
  });
  const kept = tally();
  return {
    port: running.port,
    numbers: async () => kept(await running.metrics()),
    close: () => running.close(),
  };
}
