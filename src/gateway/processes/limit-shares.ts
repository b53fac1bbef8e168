import { DEFAULT_LIMITS, type GatewayLimits } from '../limits/limits.ts';

/** What a thread needs to load the filters and read what is not too large. */
const LEAST_HEAP_MB = 48;

/**
 * The limits of each of several gateway processes: connections and memory are divided equally, but each has room for
 * one answer, so with little memory all of them together have more than the whole. The limits of one grant are not
 * divided: the bot's process keeps them for all.
 */
export function limitShare(limits: Partial<GatewayLimits>, processes: number): GatewayLimits {
  const all = { ...DEFAULT_LIMITS, ...limits };
  const part = (whole: number): number => Math.max(1, Math.floor(whole / processes));
  return {
    ...all,
    connections: part(all.connections),
    // One answer must fit in any case.
    heldBytes: Math.max(all.answerBytes, part(all.heldBytes)),
    largeBytes: Math.max(all.answerBytes, part(all.largeBytes)),
    workerHeapMb: Math.max(LEAST_HEAP_MB, part(all.workerHeapMb)),
  };
}
