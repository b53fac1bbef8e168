import { hostname } from 'node:os';
import { isIP } from 'node:net';

/**
 * Names that nobody can give an address of their choice to in the public DNS: names without a dot, and below domains
 * reserved for private use (RFC 6761, 6762, 8375; ICANN's `internal`; Kubernetes' `svc`).
 */
const PRIVATE_NAME = /^(?:[^.]+|.+\.(?:localhost|local|internal|home\.arpa|test|svc))$/;

/**
 * Whether a request is meant for this listener, by its `Host`. A page in a browser on this machine, or on its
 * network, can be made to ask here under a name of the page's own (DNS rebinding): that is refused. `hosts`: further
 * names by which monitoring asks.
 */
export function isOwnHost(header: string | undefined, hosts: readonly string[]): boolean {
  // HTTP/1.0; every browser sends it.
  if (header === undefined) return true;
  const name = header
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
    .toLowerCase();
  if (isIP(name) !== 0 || PRIVATE_NAME.test(name)) return true;
  return [...hosts, hostname()].some((host) => host.toLowerCase() === name);
}
