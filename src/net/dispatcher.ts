import { type Dispatcher, EnvHttpProxyAgent, getGlobalDispatcher, Pool } from 'undici';
import { usesProxy } from './proxy.ts';

/** Connections to one homeserver. Requests name its origin. By the rule of `usesProxy`. */
export function createDispatcher(
  origin: string,
  options: Pool.Options,
  environment: NodeJS.ProcessEnv = process.env,
): Dispatcher {
  if (!usesProxy(environment)) return new Pool(origin, options);
  const { connections, ...rest } = options;
  return new EnvHttpProxyAgent({ ...rest, ...(connections && { connections }) });
}

let proxied: Dispatcher | undefined;

/** What undici's `fetch` uses to reach the homeserver: kept for all requests, and never closed. */
export function sharedDispatcher(environment: NodeJS.ProcessEnv = process.env): Dispatcher {
  if (!usesProxy(environment)) return getGlobalDispatcher();
  return (proxied ??= new EnvHttpProxyAgent());
}
