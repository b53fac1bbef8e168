import { isAddress, type Network, networkHolds } from '../../domain/network.ts';

/**
 * Where a request came from. Behind a proxy that is trusted that is what the proxy wrote at the end of
 * `X-Forwarded-For`; what stands before it the holder may have written. RFC 7239's `Forwarded` is not read:
 * where two headers could say it, they could say two things.
 * @param peer the other end of the connection
 * @param rawHeaders name, value, name, value, …, as they came
 * @param trusted networks of the operator's own proxies
 * @returns null where it cannot be told: the peer is gone, a trusted proxy says nothing, or no address
 */
export function clientAddress(
  peer: string | undefined,
  rawHeaders: readonly string[],
  trusted: readonly Network[],
): string | null {
  if (peer === undefined) return null;
  const isTrusted = (address: string): boolean => trusted.some((network) => networkHolds(network, address));
  if (!isTrusted(peer)) return peer;
  // Several headers are one list (RFC 9110, 5.3).
  const hops = rawHeaders
    .filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === 'x-forwarded-for')
    .flatMap((value) => value.split(','))
    .map((hop) => hop.replace(/^[ \t]+|[ \t]+$/g, ''))
    .toReversed();
  for (const hop of hops) {
    if (!isAddress(hop)) return null;
    if (!isTrusted(hop)) return hop;
  }
  return hops.at(-1) ?? null;
}
