import { leanTransport } from './lean-transport.ts';
import type { Transport } from './transport.ts';
import { undiciTransport } from './undici-transport.ts';

/** What the operator says of it: `gateway.transport`. */
export type TransportSetting = 'auto' | 'undici';

/**
 * The lean client where the homeserver is plain http and no proxy may stand between; undici for everything else.
 * @param environment of the process. A proxy named there counts where Node itself is told to use it; undici
 *   then goes through it, except to the hosts of no_proxy.
 */
export function chooseTransport(
  homeserverUrl: string,
  setting: TransportSetting,
  environment: NodeJS.ProcessEnv,
): Transport {
  return isLean(homeserverUrl, setting, environment)
    ? leanTransport(homeserverUrl)
    : undiciTransport(homeserverUrl, { proxied: usesProxy(environment) });
}

/** Whether that is the lean one. */
export function isLean(
  homeserverUrl: string,
  setting: TransportSetting,
  environment: NodeJS.ProcessEnv,
): boolean {
  return setting === 'auto' && new URL(homeserverUrl).protocol === 'http:' && !usesProxy(environment);
}

/** As Node's own `fetch` does: NODE_USE_ENV_PROXY=1 or --use-env-proxy, and a proxy. */
function usesProxy(environment: NodeJS.ProcessEnv): boolean {
  const told =
    environment['NODE_USE_ENV_PROXY'] === '1' ||
    /(?:^|\s)--use-env-proxy(?:\s|$)/.test(environment['NODE_OPTIONS'] ?? '');
  return (
    told &&
    ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY'].some((name) => Boolean(environment[name]))
  );
}
