import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MintwardenError } from '../../domain/errors.ts';
import { CONTENT_TYPE } from '../../telemetry/metrics/exposition.ts';
import { coalesce } from './coalesce.ts';
import { isOwnHost } from './own-host.ts';

/** Something that keeps the service from doing its work, for monitoring. */
export type ReadinessProblem = { readonly kind: string; readonly sentence: string };

/** What is told. */
export type MonitoringSources = {
  /** Empty: everything works. */
  readonly notReady: () => Promise<readonly ReadinessProblem[]>;
  /** The page of metrics. */
  readonly metrics: () => Promise<string>;
};

/** The listener for those who watch. */
export type MonitoringServer = { readonly port: number; close(): Promise<void> };

/** A machine that asks has an answer soon, or takes the service for dead. */
const TIMEOUT_MS = 5_000;

/**
 * Answers `/health` (this process lives), `/ready` (503 with what is wrong) and `/metrics`, to anyone who
 * can reach it: none of them names a secret, a user or a room. The operator chooses where it listens.
 * @throws MintwardenError `configuration` where it cannot listen
 */
export async function startMonitoringServer(
  listen: { readonly host: string; readonly port: number; readonly hosts: readonly string[] },
  sources: MonitoringSources,
): Promise<MonitoringServer> {
  const told: MonitoringSources = {
    notReady: coalesce(sources.notReady),
    metrics: coalesce(sources.metrics),
  };
  const server = createServer({
    requestTimeout: TIMEOUT_MS,
    headersTimeout: TIMEOUT_MS,
    maxHeaderSize: 8_192,
  });
  server.maxConnections = 100;
  server.on('request', (request, response) => {
    if (!isOwnHost(request.headers.host, listen.hosts))
      return send(response, 421, {
        error: 'Not under this name. Allow it by monitoring.hosts, or use the IP.',
      });
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return send(response, 405, { error: 'Only GET is answered here.' });
    void respond((request.url ?? '').split('?')[0] ?? '', response, told).catch(() => {
      if (response.headersSent) response.destroy();
      else send(response, 500, { error: 'That could not be found out.' });
    });
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(listen.port, listen.host, resolve);
  try {
    await promise;
  } catch (error) {
    const where = `${listen.host}:${String(listen.port)}`;
    throw new MintwardenError(
      'configuration',
      `Monitoring cannot listen on ${where}.`,
      'Is the port taken? It is monitoring.listen.',
      {
        cause: error,
      },
    );
  }
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      server.closeAllConnections();
      await closed.promise;
    },
  };
}

async function respond(path: string, response: ServerResponse, told: MonitoringSources): Promise<void> {
  if (path === '/health') return send(response, 200, { status: 'ok' });
  if (path === '/ready') {
    const wrong = await told.notReady();
    return send(response, wrong.length === 0 ? 200 : 503, {
      status: wrong.length === 0 ? 'ready' : 'not ready',
      wrong,
    });
  }
  if (path !== '/metrics') return send(response, 404, { error: 'Here are /health, /ready and /metrics.' });
  const page = await told.metrics();
  response.writeHead(200, { 'content-type': CONTENT_TYPE, 'cache-control': 'no-store' }).end(page);
}

function send(response: ServerResponse, status: number, body: object): void {
  response
    .writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    .end(`${JSON.stringify(body)}\n`);
}
