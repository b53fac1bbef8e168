import { DEFAULT_LIMITS, type GatewayLimits } from '../limits/limits.ts';

/**
 * The limits of each of several gateway processes, so that all of them together keep to the whole: requests
 * of one grant at a time and in a second, connections and memory are divided equally. The rates of writes and
 * personal data are not divided: the bot's process keeps them for all.
 */
export function limitShare(limits: Partial<GatewayLimits>, processes: number): GatewayLimits {
  const all = { ...DEFAULT_LIMITS, ...limits };
  const part = (whole: number): number => Math.max(1, Math.floor(whole / processes));
  return {
    ...all,
    concurrentPerGrant: part(all.concurrentPerGrant),
    requestsPerSecond: all.requestsPerSecond / processes,
    requestsAtOnce: part(all.requestsAtOnce),
    connections: part(all.connections),
    // One answer must fit in any case.
    heldBytes: Math.max(all.answerBytes, part(all.heldBytes)),
  };
}
