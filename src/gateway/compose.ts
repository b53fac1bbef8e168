import { randomUUID } from 'node:crypto';
import type { Grant } from '../domain/grant.ts';
import type { Network } from '../domain/network.ts';
import type { AccessControl } from '../lifecycle/access/access-control.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Transactions } from '../ports/transactions.ts';
import { CATALOGUE } from './endpoints/catalogue.ts';
import { introspection } from './explain/introspection.ts';
import { answerFilters, type FilterOptions } from './filter-worker/answer-filters.ts';
import { createFilterWorker } from './filter-worker/filter-worker.ts';
import type { RateClass } from './http/call.ts';
import { instanceProver } from './http/instance-proof.ts';
import { coarseTimer } from './limits/coarse-timer.ts';
import { DEFAULT_LIMITS, type GatewayLimits } from './limits/limits.ts';
import { type GrantSlots, grantSlots } from './limits/grant-slots.ts';
import { memoryBudget } from './limits/memory-budget.ts';
import { openRequests } from './limits/open-requests.ts';
import { pollThrottle } from './limits/poll-throttle.ts';
import { type RateLimiter, tokenBucket } from './limits/rate-limiter.ts';
import { type RequestRate, requestRate } from './limits/request-rate.ts';
import { createUnauthenticatedLog } from './limits/unauthenticated-log.ts';
import { createMediaGate } from './media/gate.ts';
import { createMedia } from './media/media.ts';
import type { Uploads } from './media/uploads.ts';
import { createSharedRoomCheck } from './personal/shared-room.ts';
import { NO_OBSERVER, type RequestObserver } from './request/record.ts';
import { createRouteCache } from './request/route-cache.ts';
import { createRouter } from './request/router.ts';
import type { GatewayServices } from './request/services.ts';
import { createFileClient } from './upstream/file-client.ts';
import { createJsonClient } from './upstream/json-client.ts';
import { createMemberships } from './upstream/memberships.ts';
import { publicAnswers } from './upstream/public-answers.ts';
import { chooseTransport, type TransportSetting } from './upstream/transport/choose-transport.ts';
import { createWriter } from './writes/writer.ts';

/** Each asks the homeserver several things of the subject, with the issuer's rights. */
const ROOM_LOOKS = { perSecond: 0.2, atOnce: 10 };

/** What a gateway is made of. */
export type GatewayOptions = {
  /** Port 0: any that is free. `reusePort`: other processes of this user may listen there too, and share what comes. */
  readonly listen: { readonly host: string; readonly port: number; readonly reusePort?: boolean };
  /** Where the homeserver answers, without a trailing slash. */
  readonly homeserverUrl: string;
  readonly transport?: TransportSetting;
  /** `gateway.filter` in the configuration. */
  readonly filter?: FilterOptions['mode'];
  /** The base URL holders use, for `.well-known/matrix/client`. */
  readonly publicUrl: string;
  readonly accessControl: AccessControl;
  /** A grant's scope as a sentence, for the holder's own introspection. */
  readonly sentence: (grant: Grant, now: number) => string;
  /** What holders wrote, so that nothing is sent twice. */
  readonly transactions: Transactions;
  /** How often grants may write, where that is not counted in here. */
  readonly rateLimiters?: Readonly<Record<RateClass, RateLimiter>>;
  /** How often grants may ask, and how much at the same time, where that is not counted in here. */
  readonly requestRate?: RequestRate;
  readonly slots?: GrantSlots;
  /** What grants uploaded, where that is not known in here alone. */
  readonly uploads?: Uploads;
  /** Called once if the two filters of large answers showed different things. */
  readonly onFiltersDiffer: () => void;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits?: Partial<GatewayLimits>;
  /** Networks of the operator's own proxies, whose `X-Forwarded-For` is believed. None unless said. */
  readonly trustedProxies?: readonly Network[];
  /** What this instance is known by, in hexadecimal; see `http/instance-proof.ts`. */
  readonly instanceKey?: string;
  /** Is called for each request. */
  readonly observer?: RequestObserver;
};

/** The services of a gateway, and what ends them. */
export type Composed = { readonly services: GatewayServices; readonly close: () => Promise<void> };

/** Makes everything that the steps of a request use. */
export function createServices(options: GatewayOptions): Composed {
  const { accessControl, clock, log, homeserverUrl } = options;
  const limits: GatewayLimits = { ...DEFAULT_LIMITS, ...options.limits };
  const now = (): number => clock.now();
  const timer = coarseTimer();
  /** For rates, waits and what is kept for a while: a clock that is set back makes none of them longer. */
  const elapsed = (): number => timer.now();
  const transport = chooseTransport(homeserverUrl, options.transport ?? 'auto', process.env);
  const json = createJsonClient(transport, limits, timer);
  const filterWorker = answerFilters(
    createFilterWorker({
      queueBytes: limits.largeBytes,
      stepTimeoutMs: limits.largeTimeoutMs,
      heapMb: limits.workerHeapMb,
      log,
    }),
    {
      mode: options.filter ?? 'auto',
      onDifference(difference) {
        log.error('filters differ, everything is filtered over parsed JSON until the next start', difference);
        options.onFiltersDiffer();
      },
    },
  );
  const files = createFileClient(homeserverUrl);
  const rateLimiters = options.rateLimiters ?? {
    writes: tokenBucket(limits.writesPerSecond, limits.writesAtOnce, elapsed),
    personal: tokenBucket(limits.personalPerSecond, limits.personalAtOnce, elapsed),
  };
  const gate = createMediaGate({
    now,
    timeoutMs: limits.upstreamTimeoutMs,
    takeRate: (grantId) => rateLimiters.personal.take(grantId),
    uploads: options.uploads,
  });
  const upstreams = { accessControl, json, filterWorker };
  const open = openRequests(options.slots ?? grantSlots(limits.concurrentPerGrant));
  const unauthenticatedLog = createUnauthenticatedLog(log);
  const services: GatewayServices = {
    ...upstreams,
    router: createRouter(CATALOGUE),
    routeCache: createRouteCache(),
    publicAnswers: publicAnswers(json, limits.upstreamTimeoutMs, elapsed),
    sharedRoom: createSharedRoomCheck(elapsed),
    memberships: createMemberships(upstreams, limits.upstreamTimeoutMs, elapsed),
    roomLooks: tokenBucket(ROOM_LOOKS.perSecond, ROOM_LOOKS.atOnce, elapsed),
    write: createWriter({
      ...upstreams,
      transactions: options.transactions,
      rateLimiter: rateLimiters.writes,
      timeoutMs: limits.upstreamTimeoutMs,
      now,
      newTxnId: randomUUID,
    }),
    media: createMedia({
      ...upstreams,
      files,
      gate,
      rateLimiter: rateLimiters.writes,
      upstreamTimeoutMs: limits.upstreamTimeoutMs,
      idleTimeoutMs: limits.readTimeoutMs,
      mediaBytes: limits.mediaBytes,
      uploadBytes: limits.uploadBytes,
    }),
    open,
    memory: memoryBudget(limits.answerBytes, limits.heldBytes, timer),
    requestRate: options.requestRate ?? requestRate(limits.requestsPerSecond, limits.requestsAtOnce, elapsed),
    rateLimiters,
    invalidTokenThrottle: pollThrottle(limits.invalidTokenDelaysMs, elapsed),
    upstreamErrorThrottle: pollThrottle(limits.upstreamErrorDelaysMs, elapsed),
    timer,
    limits,
    publicUrl: options.publicUrl,
    trustedProxies: options.trustedProxies ?? [],
    proveInstance: instanceProver(options.instanceKey),
    introspect: introspection,
    sentence: options.sentence,
    observer: options.observer ?? NO_OBSERVER,
    log,
    unauthenticatedLog,
    now,
  };
  const stopListening = accessControl.onGrantInactive((grantId) => {
    open.cut(grantId);
    gate.forget(grantId);
  });
  return {
    services,
    async close() {
      stopListening();
      timer.close();
      unauthenticatedLog.close();
      await Promise.all([json.close(), files.close(), filterWorker.close()]);
    },
  };
}
