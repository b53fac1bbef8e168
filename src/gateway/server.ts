import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { MintwardenError } from '../domain/errors.ts';
import { createServices, type GatewayOptions } from './compose.ts';
import { hasBody } from './http/body.ts';
import type { GatewayResponse } from './http/response.ts';
import { writePreflight } from './http/write-response.ts';
import type { GatewayLimits } from './limits/limits.ts';
import { createPipeline } from './pipeline.ts';
import { BodyDeadline } from './request/context.ts';
import type { RequestObserver } from './request/record.ts';
import { MALFORMED } from './steps/parse.ts';

export type { GatewayOptions } from './compose.ts';

/**
 * Connections that may wait to be accepted, as far as the system allows. Node's 511 are soon full; then clients
 * wait a second until they try again.
 */
const BACKLOG = 4_096;

/** A gateway that listens. */
export type Gateway = {
  readonly port: number;
  /** Stops listening and ends what is open. */
  close(): Promise<void>;
};

/**
 * Starts the gateway: plain HTTP, for loopback behind the operator's own TLS.
 * @throws MintwardenError `configuration` where it cannot listen
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { services, close } = createServices(options);
  const server = strictServer(services.limits, services.observer);
  const handle = createPipeline(services);
  server.on('request', (message, response) => {
    // What Node reads behind an offer that was ignored is lost.
    if (message.headers.upgrade !== undefined) response.shouldKeepAlive = false;
    if (message.method !== 'OPTIONS') return handle(message, response);
    const { timer, limits } = services;
    if (hasBody(message)) timer.add(new BodyDeadline(message, timer.now() + limits.requestTimeoutMs));
    writePreflight(response);
  });
  try {
    await listening(server, options.listen);
  } catch (error) {
    await close();
    const { host, port } = options.listen;
    const sentence = `The gateway cannot listen on ${host}:${port}.`;
    throw new MintwardenError('configuration', sentence, 'Is the port taken?', { cause: error });
  }
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      server.closeAllConnections();
      await closed.promise;
      await close();
    },
  };
}

/** A server that takes nothing that could be read in two ways, and bounds what it waits for. */
function strictServer(limits: GatewayLimits, observer: RequestObserver): Server {
  const server = createServer({
    insecureHTTPParser: false,
    requireHostHeader: true,
    // curl --http2 and Java's client offer it. RFC 9110, 7.8: an offer may be ignored. Others are refused.
    shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() !== 'h2c',
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.requestTimeoutMs,
    // Of files; all other bodies have a clock of their own, see `RequestContext.limitBody`.
    requestTimeout: Math.max(limits.requestTimeoutMs, limits.uploadTimeoutMs),
    keepAliveTimeout: 65_000,
    connectionsCheckingInterval: 5_000,
    noDelay: true,
    optimizeEmptyRequests: true,
  });
  server.maxConnections = limits.connections;
  server.maxHeadersCount = 100;
  const count = (operation: string, status: number): void => {
    const outcome = status === 0 ? 'cut' : 'answered';
    observer.answered({ operation, outcome, status, errcode: null, ms: 0, homeserverMs: 0, timed: false });
  };
  const refuse = (_: IncomingMessage, socket: Duplex): void => {
    count('malformed', MALFORMED.status);
    endWith(socket, MALFORMED);
  };
  // Above `maxConnections`.
  server.on('drop', () => count('connection', 0));
  server.on('upgrade', refuse);
  server.on('connect', refuse);
  server.on('clientError', (error: Error & { code?: string }, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy();
    else {
      const status = error.code === 'HPE_HEADER_OVERFLOW' ? 431 : 400;
      count('malformed', status);
      endWith(socket, MALFORMED, status);
    }
  });
  return server;
}

/** Answers on a bare socket, where there is no request to answer, and ends it. */
function endWith(socket: Duplex, response: GatewayResponse, status = response.status): void {
  const body = JSON.stringify(response.body);
  const head = [
    `HTTP/1.1 ${status} Refused`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

function listening(server: Server, listen: GatewayOptions['listen']): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen({ ...listen, backlog: BACKLOG }, () => {
    server.off('error', reject);
    resolve();
  });
  return promise;
}
