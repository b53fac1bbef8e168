import { leanTransport } from './lean-transport.ts';
import type { Transport } from './transport.ts';
import { undiciTransport } from './undici-transport.ts';

/** What the operator may say of it: `gateway.transport`. */
export type TransportSetting = 'auto' | 'undici';

/**
 * The lean client where the homeserver is plain http and no proxy may stand between; undici for everything else.
 * @param environment of the process. A proxy named there counts where Node itself is told to use it.
 */
export function chooseTransport(
  homeserverUrl: string,
  setting: TransportSetting,
  environment: NodeJS.ProcessEnv,
): Transport {
  const proxied = usesProxy(environment);
  return setting === 'auto' && !proxied && new URL(homeserverUrl).protocol === 'http:'
    ? leanTransport(homeserverUrl)
    : undiciTransport(homeserverUrl, { proxied });
}

/** As Node's own `fetch`: NODE_USE_ENV_PROXY=1 or --use-env-proxy, and a proxy. Which hosts it is for, undici knows. */
function usesProxy(environment: NodeJS.ProcessEnv): boolean {
  const told =
    environment['NODE_USE_ENV_PROXY'] === '1' ||
    /(?:^|\s)--use-env-proxy(?:\s|$)/.test(environment['NODE_OPTIONS'] ?? '');
  return (
    told &&
    ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY'].some((name) => Boolean(environment[name]))
  );
}
