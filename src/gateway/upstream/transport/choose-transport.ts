import { usesProxy } from '../../../net/proxy.ts';
import { leanTransport } from './lean-transport.ts';
import type { Transport } from './transport.ts';
import { undiciTransport } from './undici-transport.ts';

/** `gateway.transport` in the configuration. */
export type TransportSetting = 'auto' | 'undici';

/**
 * The lean client if the homeserver is plain http and no proxy is used; otherwise undici.
 * @param environment `process.env`. A proxy named there is used if Node itself is told to use it, and not
 *   for the
 *   hosts in no_proxy.
 */
export function chooseTransport(
  homeserverUrl: string,
  setting: TransportSetting,
  environment: NodeJS.ProcessEnv,
): Transport {
  return isLean(homeserverUrl, setting, environment)
    ? leanTransport(homeserverUrl)
    : undiciTransport(homeserverUrl, environment);
}

/** Whether `chooseTransport` takes the lean client. */
export function isLean(
  homeserverUrl: string,
  setting: TransportSetting,
  environment: NodeJS.ProcessEnv,
): boolean {
  return setting === 'auto' && new URL(homeserverUrl).protocol === 'http:' && !usesProxy(environment);
}
