import ipaddr from 'ipaddr.js';
import { MintwardenError } from './errors.ts';
import { minimal, intersect } from './wildcard.ts';

/** A network in its one spelling: `10.0.0.0/8`, `2001:db8::/32`. A single address has its whole length. */
export type Network = string;

type Range = readonly [ipaddr.IPv4 | ipaddr.IPv6, number];

/**
 * Four decimal parts or an IPv6 address without a zone: the spellings `010.1` and `0x7f.1` have two readings.
 */
function addressOf(text: string): ipaddr.IPv4 | ipaddr.IPv6 | null {
  if (ipaddr.IPv4.isValidFourPartDecimal(text))
    return /(?:^|\.)0\d/.test(text) ? null : ipaddr.IPv4.parse(text);
  return text.includes('%') || !text.includes(':') || !ipaddr.IPv6.isValid(text)
    ? null
    : ipaddr.IPv6.parse(text);
}

/**
 * Whether the text is one address, spelled so that it has one reading: no zone, port, brackets or network.
 */
export function isAddress(text: string): boolean {
  return addressOf(text) !== null;
}

function rangeOf(text: string): Range | null {
  const [address = '', length, ...more] = text.split('/');
  const start = addressOf(address);
  if (start === null || more.length > 0) return null;
  const most = start.kind() === 'ipv4' ? 32 : 128;
  if (length === undefined) return [start, most];
  const bits = /^(?:0|[1-9]\d{0,2})$/.test(length) ? Number(length) : most + 1;
  return bits > most ? null : [start, bits];
}

/**
 * A network as somebody wrote it (RFC 4632, RFC 4291 section 2.3), in its one spelling.
 * @throws MintwardenError `usage`, for a network with bits set past its length too: one of the two is a
 *   mistake
 */
export function parseNetwork(text: string): Network {
  const range = rangeOf(text);
  if (range === null) {
    throw new MintwardenError(
      'usage',
      `“${text.slice(0, 60)}” is no network.`,
      'Write for example `10.0.0.0/8`, `192.0.2.7` or `2001:db8::/32`.',
    );
  }
  const [start, bits] = range;
  if (start.kind() === 'ipv6' && (start as ipaddr.IPv6).isIPv4MappedAddress())
    throw new MintwardenError('usage', `${text} is an IPv4 network in IPv6 clothes.`, 'Write it as IPv4.');
  const first =
    start.kind() === 'ipv4'
      ? ipaddr.IPv4.networkAddressFromCIDR(`${String(start)}/${bits}`)
      : ipaddr.IPv6.networkAddressFromCIDR(`${String(start)}/${bits}`);
  const spelled = `${spelling(first)}/${bits}`;
  if (spelling(first) === spelling(start)) return spelled;
  throw new MintwardenError(
    'usage',
    `${text} has bits set past its length.`,
    `Write \`${spelled}\` or \`${spelling(start)}\`.`,
  );
}

/** RFC 5952. */
function spelling(address: ipaddr.IPv4 | ipaddr.IPv6): string {
  return address.kind() === 'ipv4' ? address.toString() : (address as ipaddr.IPv6).toRFC5952String();
}

/** Whether the address lies in the network. IPv4 in IPv6 counts as IPv4; what is no address lies nowhere. */
export function networkHolds(network: Network, address: string): boolean {
  const range = rangeOf(network);
  const parsed = addressOf(address);
  if (range === null || parsed === null) return false;
  const plain =
    parsed.kind() === 'ipv6' && (parsed as ipaddr.IPv6).isIPv4MappedAddress()
      ? (parsed as ipaddr.IPv6).toIPv4Address()
      : parsed;
  return plain.kind() === range[0].kind() && plain.match(range as [ipaddr.IPv4 & ipaddr.IPv6, number]);
}

function within(a: Network, b: Network): boolean {
  const [one, other] = [rangeOf(a), rangeOf(b)];
  if (one === null || other === null || one[1] > other[1]) return false;
  return networkHolds(a, String(other[0]));
}

/** The same networks in their one form. */
export function minimalNetworks(networks: readonly Network[]): readonly Network[] {
  return minimal(networks, within, (network) => network);
}

/** The addresses that lie in both lists. */
export function intersectNetworks(a: readonly Network[], b: readonly Network[]): readonly Network[] {
  return minimalNetworks(
    intersect(a, b, (one, other) => (within(one, other) ? other : within(other, one) ? one : null)),
  );
}
