import { DEFAULT_LIMITS, type GatewayLimits } from '../serve/limits.ts';

/**
 * What each of several gateway processes may, so that all of them together hold to the limits: requests of
 * one grant at a time and in a second, connections and memory are dealt out in equal parts (a holder's
 * connections fall on the processes by chance). Paces are not in here: they are kept in one place for all.
 */
export function shareOf(limits: Partial<GatewayLimits>, processes: number): GatewayLimits {
  const all = { ...DEFAULT_LIMITS, ...limits };
  const part = (whole: number): number => Math.max(1, Math.floor(whole / processes));
  return {
    ...all,
    concurrentPerGrant: part(all.concurrentPerGrant),
    requestsPerSecond: all.requestsPerSecond / processes,
    requestsAtOnce: part(all.requestsAtOnce),
    connections: part(all.connections),
    // One answer has to fit in any case.
    heldBytes: Math.max(all.answerBytes, part(all.heldBytes)),
  };
}
