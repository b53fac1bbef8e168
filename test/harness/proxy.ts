import { createServer, request as httpRequest } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { Exchange, Fault, HeldAnswer, SeenRequest } from './proxy-faults.ts';

export { answerWith, cut, delay, garbage, hold, truncate } from './proxy-faults.ts';
export type { Fault, SeenRequest } from './proxy-faults.ts';

/** Which requests: by method, by path (a part of it, or an expression), or by any predicate. */
export type RequestMatcher =
  | { method?: string; path?: string | RegExp }
  | ((request: SeenRequest) => boolean);

/** A fault that lies in wait. */
export interface PlannedFault {
  /**
   * Resolves when it first strikes ("after": when the homeserver has answered; for `hold`: the request now
   * stands still).
   */
  readonly reached: Promise<SeenRequest>;
  readonly hits: number;
  /** Lets go of what `hold` holds, and holds no more. */
  release: () => void;
  /** Strikes no more; what is held stays held. */
  remove: () => void;
}

/** An HTTP proxy before a homeserver that breaks where a test says. */
export interface Proxy extends AsyncDisposable {
  baseUrl: string;
  port: number;
  /** All requests so far, oldest first. */
  readonly requests: SeenRequest[];
  /**
   * Plans a fault for matching requests: after letting `skip` of them pass, `times` times (for ever, if not
   * said).
   */
  on: (matcher: RequestMatcher, fault: Fault, limits?: { times?: number; skip?: number }) => PlannedFault;
  /** Lets `count` requests pass and cuts the connection of every later one, unasked. */
  cutAfter: (count: number) => PlannedFault;
  /** From now on nobody listens on the port; open connections are cut. */
  refuseConnections: () => Promise<void>;
  acceptConnections: () => Promise<void>;
  /** Forgets all planned faults and lets go of what is held. */
  heal: () => void;
}

interface Plan {
  matches: (request: SeenRequest) => boolean;
  fault: Fault;
  skip: number;
  times: number;
  hits: number;
  reached: PromiseWithResolvers<SeenRequest>;
  released: PromiseWithResolvers<void>;
}

/** Starts a proxy on a free port of 127.0.0.1. */
export async function startProxy(targetUrl: string): Promise<Proxy> {
  const target = new URL(targetUrl);
  const requests: SeenRequest[] = [];
  const plans = new Set<Plan>();

  const server = createServer((incoming, response) => {
    void (async (): Promise<void> => {
      const seen = await see(incoming);
      requests.push(seen);
      const plan = strike(plans, seen);
      response.once('close', () => {
        seen.abandoned = !response.writableFinished;
      });
      const exchange: Exchange = {
        request: seen,
        response,
        released: plan?.released.promise ?? Promise.resolve(),
      };
      const { before, after } = plan?.fault ?? {};
      if (before !== undefined) {
        plan?.reached.resolve(seen);
        await before(exchange);
        if (isOver(response)) return;
      }
      await forward(
        target,
        incoming,
        exchange,
        after &&
          ((held, answer) => {
            plan?.reached.resolve(seen);
            return after(held, answer);
          }),
      );
    })().catch(() => response.socket?.destroy());
  });
  // A long-poll is no fault.
  server.requestTimeout = 0;
  const listen = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => {
        server.off('error', reject);
        resolve();
      });
    });
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => {
        resolve();
      });
      server.closeAllConnections();
    });
  await listen(0);
  const { port } = server.address() as AddressInfo;

  const on: Proxy['on'] = (matcher, fault, limits = {}) => {
    const plan: Plan = {
      matches: typeof matcher === 'function' ? matcher : (seen) => matches(matcher, seen),
      fault,
      skip: limits.skip ?? 0,
      times: limits.times ?? Number.POSITIVE_INFINITY,
      hits: 0,
      reached: Promise.withResolvers(),
      released: Promise.withResolvers(),
    };
    plans.add(plan);
    return {
      reached: plan.reached.promise,
      get hits() {
        return plan.hits;
      },
      release: () => {
        plans.delete(plan);
        plan.released.resolve();
      },
      remove: () => plans.delete(plan),
    };
  };
  const heal = (): void => {
    for (const plan of plans) plan.released.resolve();
    plans.clear();
  };
  return {
    baseUrl: `http://127.0.0.1:${String(port)}`,
    port,
    requests,
    on,
    cutAfter: (count) =>
      on(() => true, { before: ({ response }) => void response.socket?.destroy() }, { skip: count }),
    refuseConnections: close,
    acceptConnections: () => listen(port),
    heal,
    [Symbol.asyncDispose]: async () => {
      heal();
      await close();
    },
  };
}

function matches(matcher: { method?: string; path?: string | RegExp }, seen: SeenRequest): boolean {
  if (matcher.method !== undefined && matcher.method !== seen.method) return false;
  if (matcher.path === undefined) return true;
  return typeof matcher.path === 'string' ? seen.path.includes(matcher.path) : matcher.path.test(seen.path);
}

/** The first plan that concerns the request, its counters moved on. */
function strike(plans: Set<Plan>, seen: SeenRequest): Plan | undefined {
  for (const plan of plans) {
    if (plan.hits >= plan.times || !plan.matches(seen)) continue;
    if (plan.skip > 0) {
      plan.skip -= 1;
      continue;
    }
    plan.hits += 1;
    return plan;
  }
  return undefined;
}

async function see(incoming: IncomingMessage): Promise<SeenRequest> {
  const [path = '', query = ''] = (incoming.url ?? '').split(/\?(.*)/s);
  return {
    method: incoming.method ?? '',
    path,
    query: new URLSearchParams(query),
    headers: incoming.headers,
    body: (await buffer(incoming)).toString(),
    atMs: Date.now(),
    status: null,
    abandoned: false,
  };
}

/** RFC 9110, 7.6.1: these are between two neighbours and are not passed on. */
const hopByHop = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'te', 'trailer']);

function passedOn<T extends Record<string, unknown>>(headers: T): T {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !hopByHop.has(name))) as T;
}

function forward(
  target: URL,
  incoming: IncomingMessage,
  exchange: Exchange,
  after: Fault['after'],
): Promise<void> {
  const { request: seen, response } = exchange;
  const body = Buffer.from(seen.body);
  return new Promise((resolve, reject) => {
    const upstream = httpRequest({
      host: target.hostname,
      port: target.port,
      method: seen.method,
      path: incoming.url,
      headers: {
        ...passedOn(incoming.headers),
        ...(body.length > 0 ? { 'content-length': body.length } : {}),
      },
      agent: false,
    });
    response.on('close', () => upstream.destroy());
    upstream.on('error', reject);
    upstream.on('response', (answer) => {
      seen.status = answer.statusCode ?? 0;
      pass(answer, exchange, after).then(resolve, reject);
    });
    upstream.end(body);
  });
}

async function pass(answer: IncomingMessage, exchange: Exchange, after: Fault['after']): Promise<void> {
  const { response } = exchange;
  const status = answer.statusCode ?? 502;
  const headers = passedOn(answer.headers);
  if (after === undefined) {
    response.writeHead(status, headers);
    answer.pipe(response);
    return;
  }
  const held: HeldAnswer = { status, headers, body: await buffer(answer) };
  await after(exchange, held);
  if (isOver(response)) return;
  response.writeHead(status, headers).end(held.body);
}

function isOver(response: ServerResponse): boolean {
  return response.headersSent || response.destroyed || response.socket === null || response.socket.destroyed;
}
