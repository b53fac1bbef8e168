import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Log } from '../../src/ports/log.ts';
import { createSynapse, type Synapse } from '../../src/issuers/synapse/synapse.ts';
import { parseUserId, type UserId } from '../../src/domain/ids.ts';

/** A server that says what a test tells it to, over a real socket. */
export type OddServer = AsyncDisposable & {
  readonly url: string;
  /** Method, raw path and Authorization header of each request, oldest first. */
  readonly seen: { method: string; path: string; authorization: string | undefined; body: string }[];
};

/** @param answer called once per request, after its body was read */
export async function oddServer(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<OddServer> {
  const seen: OddServer['seen'] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      seen.push({
        method: request.method ?? '',
        path: request.url ?? '',
        authorization: request.headers.authorization,
        body,
      });
      answer(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Answers every request so. */
export function says(status: number, body: string | object, headers: Record<string, string> = {}) {
  return (_request: IncomingMessage, response: ServerResponse): void => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
}

export const ISSUER_TOKEN = 'syt_aXNzdWVy_secretsecretsecret_000000';
export const ALICE = parseUserId('@alice:test.local') as UserId;

/** A Synapse adapter towards any address, and everything it logged. */
export function adapter(homeserverUrl: string, timeoutMs = 1_000): Synapse & { readonly lines: string[] } {
  const lines: string[] = [];
  const write = (event: string, data?: object): void => void lines.push(`${event} ${JSON.stringify(data)}`);
  const log: Log = { debug: write, info: write, warn: write, error: write };
  const synapse = createSynapse({
    homeserverUrl,
    serverName: 'test.local',
    issuerToken: () => ISSUER_TOKEN,
    botUserId: parseUserId('@bot:test.local') as UserId,
    timeoutMs,
    log,
  });
  return { ...synapse, lines };
}
