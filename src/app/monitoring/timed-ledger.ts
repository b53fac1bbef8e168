import type { Ledger } from '../../ports/ledger.ts';
import type { ServiceMetrics } from '../../telemetry/metrics/service-metrics.ts';

/** The ledger, with the time that each change took to be written. */
export function timedLedger<T extends Pick<Ledger, 'commit'>>(
  ledger: T,
  committed: ServiceMetrics['committed'],
): T {
  return {
    ...ledger,
    async commit(change) {
      const begunAt = performance.now();
      try {
        const result = await ledger.commit(change);
        committed(performance.now() - begunAt, result);
        return result;
      } catch (error) {
        committed(performance.now() - begunAt, 'failed');
        throw error;
      }
    },
  };
}
