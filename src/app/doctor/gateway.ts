import { existsSync } from 'node:fs';
import type { Config } from '../../config/index.ts';
import { type Network, networkHolds } from '../../domain/network.ts';
import { loadKey } from '../../store/seal/index.ts';
import { listenError } from '../can-listen.ts';
import { instanceKeyOf } from '../instance-key.ts';
import { fail, type Finding, ok, warn } from './finding.ts';
import { type ProbeResult, probe } from './probe.ts';
import { ownCommand } from './shell.ts';

/** Nobody's address (RFC 5737): what a holder could claim to come from. */
const SPOOFED_ADDRESS = '192.0.2.66';

/** Whether the service runs, has its port, and is met where holders are sent, as seen from this machine. */
export async function checkGateway(config: Config, running: boolean): Promise<readonly Finding[]> {
  const { listen } = config.gateway;
  const where = `${listen.host}:${String(listen.port)}`;
  if (!running) {
    const start = warn('service', 'The service is not running on this state folder.', {
      command: ownCommand(config, 'start'),
    });
    if (listen.port === 0) return [start];
    const taken = await listenError(listen.host, listen.port);
    if (taken === null) return [start, ok('gateway-listen', `The gateway can listen on ${where}.`)];
    const command = `ss -ltnp 'sport = :${String(listen.port)}'`;
    return [
      start,
      fail('gateway-listen', `The gateway cannot listen on ${where} (${taken}).`, {
        fix: 'Stop what listens there, or change gateway.listen. What it is:',
        command,
      }),
    ];
  }
  const service = ok('service', 'The service runs.');
  if (!existsSync(config.sealing_key_file)) return [service];
  const key = instanceKeyOf(await loadKey(config.sealing_key_file));
  return [service, ...(await checkListener(config, key)), ...(await checkPublicUrl(config, key))];
}

async function checkListener({ gateway: { listen } }: Config, key: string): Promise<readonly Finding[]> {
  if (listen.port === 0) return [];
  const host =
    listen.host === '0.0.0.0'
      ? '127.0.0.1'
      : listen.host === '::'
        ? '[::1]'
        : listen.host.includes(':')
          ? `[${listen.host}]`
          : listen.host;
  const where = `${listen.host}:${String(listen.port)}`;
  const met = await probe(`http://${host}:${String(listen.port)}`, key, 'holder');
  if (met.kind === 'ours') return [ok('gateway-listen', `The gateway answers on ${where}.`)];
  return [
    fail('gateway-listen', `The service runs, but on ${where} ${describeServer(met)}.`, {
      fix: 'Restart the service, if gateway.listen or the sealing key was changed since it started. Otherwise stop what listens there.',
    }),
  ];
}

async function checkPublicUrl(config: Config, key: string): Promise<readonly Finding[]> {
  const { public_url: url, listen } = config.gateway;
  const id = 'public-address';
  const met = await probe(url, key, 'holder');
  const proxy = `Let the proxy for ${url} pass everything with a scoped token (Authorization: Bearer mwt_…) to ${listen.host}:${String(listen.port)}, without changing the path, or correct gateway.public_url.`;
  if (met.kind === 'nobody')
    return [
      fail(id, `Nobody answers at ${url} (${met.why}).`, {
        fix: `${proxy} A firewall that keeps this machine from its own public address can also be the cause.`,
      }),
    ];
  if (met.kind !== 'ours')
    return [fail(id, `At ${url} ${describeServer(met)}, not this gateway.`, { fix: proxy })];
  return [
    ok(id, `${url} leads to this gateway.`),
    clientApiBeside(url, await probe(url, key, 'anybody')),
    await checkProxies(config, key, met),
  ];
}

/** Requests without a scoped token may be passed to the homeserver: then people use the same name. */
function clientApiBeside(url: string, met: ProbeResult): Finding {
  const id = 'client-api-beside';
  if (met.kind === 'ours')
    return ok(
      id,
      `At ${url} everything goes to the gateway: people need another name for the homeserver itself.`,
    );
  if (met.kind === 'homeserver')
    return ok(
      id,
      `Beside it, at ${url}, the homeserver itself answers to who shows no scoped token. It knows no scoped token: one that strays there opens nothing, and no scope is got past by it.`,
    );
  return ok(
    id,
    `Requests to ${url} without a scoped token do not come to the gateway: ${describeServer(met)}.`,
  );
}

async function checkProxies(
  { gateway }: Config,
  key: string,
  met: Extract<ProbeResult, { readonly kind: 'ours' }>,
): Promise<Finding> {
  const { public_url: url, trusted_proxies: trusted } = gateway;
  const id = 'trusted-proxies';
  const isTrusted = (address: string): boolean =>
    trusted.some((network: Network) => networkHolds(network, address));
  if (trusted.length === 0) {
    return url.startsWith('https:')
      ? ok(id, 'No proxy is named in gateway.trusted_proxies: --from is refused.')
      : ok(id, 'There is no proxy: requests come from where they say.');
  }
  const local = met.localAddress.replace(/^::ffff:/, '');
  // Asked from an address that is trusted itself, what this request claims counts, as it should.
  if (isTrusted(local) && url.startsWith('https:'))
    return ok(id, 'From this machine it cannot be seen what the proxy makes of X-Forwarded-For.');
  const claimed = await probe(url, key, 'holder', { 'x-forwarded-for': SPOOFED_ADDRESS });
  if (claimed.kind === 'ours' && claimed.from === SPOOFED_ADDRESS)
    return fail(id, `${url} takes a holder's own word on where it comes from.`, {
      fix: `Let the proxy add the address to X-Forwarded-For, or write it again; take networks that holders come from out of gateway.trusted_proxies.`,
    });
  if (met.from === null) return warn(id, 'The proxy that is trusted does not say where requests come from.');
  if (isTrusted(met.from)) return warn(id, `Requests seem to come from the proxy itself (${met.from}).`);
  return ok(id, `Requests from here seem to come from ${met.from}.`);
}

function describeServer(met: ProbeResult): string {
  switch (met.kind) {
    case 'ours':
      return 'this gateway answers';
    case 'another':
      return 'another Mintwarden answers (or this one, started with another sealing key)';
    case 'homeserver':
      return 'a homeserver answers';
    case 'nobody':
      return `nobody answers (${met.why})`;
    case 'other':
      return `something else answers (${met.what})`;
    default:
      return met satisfies never;
  }
}
