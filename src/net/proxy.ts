type Environment = Readonly<Record<string, string | undefined>>;

/** The variables by which a proxy is named, for processes that get no others. */
export const PROXY_VARIABLES: readonly string[] = [
  'NODE_USE_ENV_PROXY',
  ...['http_proxy', 'https_proxy', 'no_proxy'].flatMap((name) => [name, name.toUpperCase()]),
];

/**
 * Whether connections to the homeserver go through the proxy that the environment names: if Node is told to use it
 * (`NODE_USE_ENV_PROXY=1`, `--use-env-proxy`), as with its own `fetch`. Hosts in no_proxy are asked directly.
 */
export function usesProxy(environment: Environment): boolean {
  const isTold =
    environment['NODE_USE_ENV_PROXY'] === '1' ||
    /(?:^|\s)--use-env-proxy(?:\s|$)/.test(environment['NODE_OPTIONS'] ?? '');
  return isTold && proxyVariables(environment).length > 0;
}

/** In one sentence, how the homeserver is reached, without what a proxy's address may hold of a password. */
export function proxySentence(environment: Environment): {
  readonly kind: 'direct' | 'proxy' | 'ignored';
  readonly sentence: string;
} {
  const named = proxyVariables(environment).map(
    (name) => `${name}=${withoutPassword(environment[name] ?? '')}`,
  );
  const except = environment['no_proxy'] || environment['NO_PROXY'];
  if (named.length === 0)
    return { kind: 'direct', sentence: 'Connections to the homeserver are made directly.' };
  if (usesProxy(environment))
    return {
      kind: 'proxy',
      sentence: `Connections to the homeserver go through a proxy (${named.join(', ')})${except ? `, but for ${except}` : ''}.`,
    };
  return {
    kind: 'ignored',
    sentence: `Connections to the homeserver are made directly, though a proxy is named (${named.join(', ')}): Node is not told to use it (NODE_USE_ENV_PROXY=1).`,
  };
}

function proxyVariables(environment: Environment): readonly string[] {
  return ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY'].filter((name) =>
    Boolean(environment[name]),
  );
}

function withoutPassword(address: string): string {
  const url = URL.parse(address.includes('://') ? address : `http://${address}`);
  return url === null ? 'not an address' : url.host;
}
