import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { MintwardenError } from '../domain/errors.ts';
import type { Grant } from '../domain/grant.ts';
import type { Network } from '../domain/network.ts';
import type { AccessControl } from '../lifecycle/access/access-control.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Transactions } from '../ports/transactions.ts';
import { type GatewayResponse, matrixError, UNAVAILABLE } from './http/response.ts';
import { CATALOGUE } from './endpoints/catalogue.ts';
import type { RateClass } from './http/call.ts';
import { createFilterWorker } from './filter-worker/filter-worker.ts';
import { createRouter } from './endpoints/router.ts';
import type { RequestObserver, RequestRecord } from './request/record.ts';
import { mediaGate } from './media/gate.ts';
import type { Uploads } from './media/uploads.ts';
import { createMedia } from './media/media.ts';
import { acquaintances } from './personal/shared-room.ts';
import { memoryBudget } from './limits/memory-budget.ts';
import { createJsonClient } from './upstream/json-client.ts';
import { type Desk, handle, MALFORMED } from './steps/handle.ts';
import { instanceProver } from './http/instance-proof.ts';
import { pollThrottle } from './limits/poll-throttle.ts';
import { DEFAULT_LIMITS, type GatewayLimits } from './limits/limits.ts';
import { openRequests } from './limits/open-requests.ts';
import { openly } from './upstream/public-answers.ts';
import { requestRate } from './limits/request-rate.ts';
import { createFileClient } from './upstream/file-client.ts';
import { GONE, visitOf } from './request/visit.ts';
import { writeResponse, writePreflight } from './http/write-response.ts';
import { tokenBucket, type RateLimiter } from './limits/rate-limiter.ts';
import { writer } from './writes/writer.ts';

/** What a gateway is made of. */
export type GatewayOptions = {
  /**
   * Port 0: any that is free. `reusePort`: other processes of this user may listen there too, and share what
   * comes.
   */
  readonly listen: { readonly host: string; readonly port: number; readonly reusePort?: boolean };
  /** Where the homeserver answers, without a trailing slash. */
  readonly homeserverUrl: string;
  /** The base URL holders use, for `.well-known/matrix/client`. */
  readonly publicUrl: string;
  readonly access: AccessControl;
  /** A grant's scope as a sentence, for the holder's own introspection. */
  readonly sentence: (grant: Grant, now: number) => string;
  /** What holders wrote, so that nothing is sent twice. */
  readonly transactions: Transactions;
  /** How often grants may write, where that is not counted in here. */
  readonly paces?: Readonly<Record<RateClass, RateLimiter>>;
  /** What grants uploaded, where that is not known in here alone. */
  readonly ownMedia?: Uploads;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits?: Partial<GatewayLimits>;
  /** Networks of the operator's own proxies, whose `X-Forwarded-For` counts. None unless said. */
  readonly trustedProxies?: readonly Network[];
  /** What this instance is known by, in hexadecimal; see `serve/instance.ts`. */
  readonly instanceKey?: string;
  /** Is told of each request. */
  readonly observe?: RequestObserver;
};

/** A gateway that listens. */
export type Gateway = {
  readonly port: number;
  /** Stops listening and ends what is open. */
  close(): Promise<void>;
};

const LOOKING_BYTES = 2_097_152;
/** Connections that may wait to be accepted, as far as the system allows. Node's 511 are soon full; then
 * clients wait a second until they try again. */
const BACKLOG = 4_096;
const INTERNAL = matrixError(500, 'M_UNKNOWN', 'Something went wrong here.');

/**
 * Starts the gateway: plain HTTP, for loopback behind the operator's own TLS.
 * @throws MintwardenError `configuration` where it cannot listen
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const now = () => options.clock.now();
  const forwarder = createJsonClient(options.homeserverUrl, limits);
  const large = createFilterWorker({
    queueBytes: limits.largeBytes,
    stepTimeoutMs: limits.largeTimeoutMs,
    log: options.log,
  });
  const open = openRequests(limits.concurrentPerGrant);
  const paces = options.paces ?? {
    writing: tokenBucket(limits.writesPerSecond, limits.writesAtOnce, now),
    tending: tokenBucket(limits.tendsPerSecond, limits.tendsAtOnce, now),
  };
  const streamer = createFileClient(options.homeserverUrl);
  // What is read in place keeps all others waiting; and to find what shows a file no large answer is worth
  // its bytes.
  const looking = createJsonClient(options.homeserverUrl, {
    ...limits,
    answerBytes: Math.min(limits.answerBytes, LOOKING_BYTES),
  });
  const gate = mediaGate({
    now,
    timeoutMs: limits.upstreamTimeoutMs,
    pace: (grantId) => paces.tending.take(grantId),
    own: options.ownMedia,
  });
  const closeUpstream = async (): Promise<void> => {
    await Promise.all([forwarder.close(), streamer.close(), looking.close(), large.close()]);
  };
  const desk: Desk = {
    control: options.access,
    forwarder,
    looking,
    large,
    acquaintance: acquaintances(now),
    write: writer({
      control: options.access,
      forwarder,
      transactions: options.transactions,
      pace: paces.writing,
      timeoutMs: limits.upstreamTimeoutMs,
      now,
      newTxnId: randomUUID,
    }),
    paces,
    media: createMedia({
      control: options.access,
      streamer,
      gate,
      looking,
      large,
      pace: paces.writing,
      upstreamTimeoutMs: limits.upstreamTimeoutMs,
      idleTimeoutMs: limits.readTimeoutMs,
      mediaBytes: limits.mediaBytes,
      uploadBytes: limits.uploadBytes,
    }),
    upstreamTimeoutMs: limits.upstreamTimeoutMs,
    now,
    sentence: options.sentence,
    router: createRouter(CATALOGUE),
    open,
    rate: requestRate(limits.requestsPerSecond, limits.requestsAtOnce, now),
    allowance: memoryBudget(limits.answerBytes, limits.heldBytes),
    openly: openly(forwarder, limits.upstreamTimeoutMs, now),
    late: pollThrottle(limits.lateMs, now),
    trouble: pollThrottle(limits.troubleMs, now),
    bodyBytes: limits.bodyBytes,
    publicUrl: options.publicUrl,
    trustedProxies: options.trustedProxies ?? [],
    prove: instanceProver(options.instanceKey),
    polling: options.observe?.polling ?? (() => undefined),
  };
  const server = strictServer(limits, options.observe);
  server.on(
    'request',
    (request: IncomingMessage, response: ServerResponse) =>
      void answerOne(request, response, desk, options, limits),
  );
  const stopListening = options.access.onGrantInactive((grantId) => {
    open.cut(grantId);
    gate.forget(grantId);
  });
  try {
    await listening(server, options.listen);
  } catch (error) {
    stopListening();
    await closeUpstream();
    const { host, port } = options.listen;
    throw new MintwardenError(
      'configuration',
      `The gateway cannot listen on ${host}:${port}.`,
      'Is the port taken?',
      { cause: error },
    );
  }
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      stopListening();
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      server.closeAllConnections();
      await closed.promise;
      await closeUpstream();
    },
  };
}

async function answerOne(
  request: IncomingMessage,
  response: ServerResponse,
  desk: Desk,
  { log, clock, observe }: GatewayOptions,
  { readTimeoutMs, requestTimeoutMs }: GatewayLimits,
): Promise<void> {
  const startedAt = clock.now();
  const begunAt = observe === undefined ? 0 : performance.now();
  if (request.method === 'OPTIONS') return writePreflight(response);
  const visit = visitOf(response, requestTimeoutMs);
  let operation = 'none';
  let outcome: RequestRecord['outcome'] = 'cut';
  let status = 0;
  let errcode: string | null = null;
  let grant: string | null = null;
  try {
    const handled = await handle(request, desk, visit);
    ({ operation, grantId: grant } = handled);
    if (handled.answer === 'cut') request.socket.destroy();
    else {
      outcome = 'answered';
      status = handled.answer.status;
      errcode = errcodeIn(handled.answer);
      writeResponse(response, handled.answer, readTimeoutMs);
    }
  } catch (error) {
    ({ operation, grantId: grant } = visit.known);
    if (visit.signal.reason === GONE) outcome = 'left';
    else {
      const answer = error instanceof MintwardenError && error.code !== 'internal' ? UNAVAILABLE : INTERNAL;
      outcome = 'answered';
      status = answer.status;
      errcode = errcodeIn(answer);
      // The name and the code alone: a message could quote what was asked.
      log.error('request failed', { error: nameOf(error) });
      writeResponse(response, answer, readTimeoutMs);
    }
  }
  log.info('request', { operation, status, ms: clock.now() - startedAt, grant });
  try {
    observe?.answered({
      operation,
      outcome,
      status,
      errcode,
      ms: performance.now() - begunAt,
      homeserverMs: visit.times.homeserverMs,
    });
  } catch (error) {
    // Whoever counts must not end those who serve.
    log.warn('request not counted', { error: nameOf(error) });
  }
}

/** What of an answer tells refusals apart. */
function errcodeIn({ status, body }: GatewayResponse): string | null {
  if (status < 400 || typeof body !== 'object' || body === null) return null;
  const errcode: unknown = Reflect.get(body, 'errcode');
  return typeof errcode === 'string' ? errcode : null;
}

function nameOf(error: unknown): string {
  if (error instanceof MintwardenError) return error.code;
  return error instanceof Error ? error.name : 'unknown';
}

function strictServer(limits: GatewayLimits, observe: RequestObserver | undefined): Server {
  const server = createServer({
    insecureHTTPParser: false,
    requireHostHeader: true,
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.requestTimeoutMs,
    // Of files; all other bodies have a clock of their own, see visit.ts.
    requestTimeout: Math.max(limits.requestTimeoutMs, limits.uploadTimeoutMs),
    keepAliveTimeout: 65_000,
    connectionsCheckingInterval: 5_000,
    noDelay: true,
  });
  server.maxConnections = limits.connections;
  server.maxHeadersCount = 100;
  const seen = (operation: string, status: number): void =>
    observe?.answered({
      operation,
      outcome: status === 0 ? 'cut' : 'answered',
      status,
      errcode: null,
      ms: 0,
      homeserverMs: 0,
    });
  const refuse = (_: IncomingMessage, socket: Duplex) => {
    seen('malformed', MALFORMED.status);
    endWith(socket, MALFORMED);
  };
  // Above `maxConnections`.
  server.on('drop', () => seen('connection', 0));
  server.on('upgrade', refuse);
  server.on('connect', refuse);
  server.on('clientError', (error: Error & { code?: string }, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy();
    else {
      const status = error.code === 'HPE_HEADER_OVERFLOW' ? 431 : 400;
      seen('malformed', status);
      endWith(socket, MALFORMED, status);
    }
  });
  return server;
}

/** Answers on a bare socket, where there is no request to answer, and ends it. */
function endWith(socket: Duplex, answer: GatewayResponse, status = answer.status): void {
  const body = JSON.stringify(answer.body);
  socket.end(
    `HTTP/1.1 ${status} Refused\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
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
