import { totalmem } from 'node:os';
import type { Config } from '../config/index.ts';
import type { GatewayLimits } from '../gateway/limits/limits.ts';
import { memoryLimit, memoryPlan } from '../gateway/limits/memory-plan.ts';

/** The limits that are configured, as the gateway calls them. */
export function gatewayLimits({ limits, processes }: Config['gateway']): Partial<GatewayLimits> {
  const memory = limits.memory ?? memoryLimit(process.constrainedMemory(), totalmem());
  return {
    ...memoryPlan(memory, processes),
    writesPerSecond: limits.writes_per_second,
    writesAtOnce: limits.writes_at_once,
    personalPerSecond: limits.personal_per_second,
    personalAtOnce: limits.personal_at_once,
    requestsPerSecond: limits.requests_per_second,
    requestsAtOnce: limits.requests_at_once,
    concurrentPerGrant: limits.open_requests,
    connections: limits.connections,
    longPollMs: limits.long_poll,
    bodyBytes: limits.body_size,
    uploadBytes: limits.upload_size,
    mediaBytes: limits.download_size,
  };
}
