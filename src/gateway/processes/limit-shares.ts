import { DEFAULT_LIMITS, type GatewayLimits } from '../limits/limits.ts';

/**
 * The limits of each of several gateway processes, so that all of them together keep to the whole:
 * connections and memory are divided equally. The limits of one grant are not divided: the bot's process keeps
 * them for all.
 */
export function limitShare(limits: Partial<GatewayLimits>, processes: number): GatewayLimits {
  const all = { ...DEFAULT_LIMITS, ...limits };
  const part = (whole: number): number => Math.max(1, Math.floor(whole / processes));
  return {
    ...all,
    connections: part(all.connections),
    // One answer must fit in any case.
    heldBytes: Math.max(all.answerBytes, part(all.heldBytes)),
  };
}
