import { createServer } from 'node:net';
import { fetch } from 'undici';
import type { Config } from '../../config/index.ts';
import { fail, ok, warn, type Finding } from './finding.ts';

const PATIENCE_MS = 10_000;
/** Only our gateway has this line; without a token it answers 401 M_MISSING_TOKEN, a homeserver 404. */
const OURS = '/_mintwarden/v1/token';

type Met = 'gateway' | 'nobody' | { readonly other: string };

/** Whether the gateway is met where holders are sent, as seen from this machine. */
export async function checkGateway(config: Config, running: boolean): Promise<readonly Finding[]> {
  const id = 'gateway';
  const { public_url: publicUrl, listen } = config.gateway;
  const met = await meet(publicUrl);
  if (met === 'gateway') return [ok(id, `The gateway answers at ${publicUrl}.`)];
  if (!running) {
    const { host, port } = listen;
    if (port !== 0 && !(await canListen(host, port))) {
      const mend = 'Stop what listens there, or change gateway.listen.';
      return [
        fail(
          id,
          `It cannot listen on ${host}:${String(port)}.`,
          "Another program has the port, or the address is not this machine's.",
          mend,
        ),
      ];
    }
    return [
      warn(
        id,
        'The service is not running here.',
        `Whether ${publicUrl} leads to the gateway shows only while it runs.`,
        'Run mintwarden start, then this again.',
      ),
    ];
  }
  const why = 'Holders are told to use this address.';
  const proxy = `Let the proxy for ${publicUrl} pass everything to ${listen.host}:${String(listen.port)}, without changing the path.`;
  if (met === 'nobody')
    return [
      fail(
        id,
        `The service runs, but nobody answers at ${publicUrl}.`,
        why,
        `${proxy} A firewall that keeps this machine from its own public address can also be the cause.`,
      ),
    ];
  return [fail(id, `Something else answers at ${publicUrl} (${met.other}).`, why, proxy)];
}

async function meet(publicUrl: string): Promise<Met> {
  try {
    const answer = await fetch(publicUrl + OURS, { redirect: 'manual', signal: AbortSignal.timeout(PATIENCE_MS) });
    const body: unknown = await answer.json().catch(() => null);
    const errcode: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, 'errcode') : null;
    return answer.status === 401 && errcode === 'M_MISSING_TOKEN' ? 'gateway' : { other: `status ${String(answer.status)}` };
  } catch (error) {
    const cause: unknown = error instanceof Error ? error.cause : null;
    const code: unknown = typeof cause === 'object' && cause !== null ? Reflect.get(cause, 'code') : null;
    return typeof code === 'string' && code.includes('CERT') ? { other: `its certificate is not trusted: ${code}` } : 'nobody';
  }
}

async function canListen(host: string, port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}
