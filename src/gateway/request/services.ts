import type { Log } from '../../ports/log.ts';
import type { AnswerFilters } from '../filter-worker/answer-filters.ts';
import type { CoarseTimer } from '../limits/coarse-timer.ts';
import type { MemoryBudget } from '../limits/memory-budget.ts';
import type { OpenRequests } from '../limits/open-requests.ts';
import type { PollThrottle } from '../limits/poll-throttle.ts';
import type { UnauthenticatedLog } from '../limits/unauthenticated-log.ts';
import type { RequestRate } from '../limits/request-rate.ts';
import type { SharedRoomCheck } from '../personal/shared-room.ts';
import type { Memberships } from '../upstream/memberships.ts';
import type { LocalRateLimiter } from '../limits/rate-limiter.ts';
import type { PublicAnswers } from '../upstream/public-answers.ts';
import type { RequestObserver } from './record.ts';
import type { RouteCache } from './route-cache.ts';
import type { Router } from './router.ts';
import type { TaskServices } from './task.ts';

/** Everything the steps of a request use. Nothing that protects is optional. */
export type GatewayServices = TaskServices & {
  readonly filterWorker: AnswerFilters;
  readonly router: Router;
  readonly routeCache: RouteCache;
  readonly publicAnswers: PublicAnswers;
  readonly sharedRoom: SharedRoomCheck;
  readonly memberships: Memberships;
  /** How often a room that is not known may have the rooms in scope looked up. */
  readonly roomLooks: LocalRateLimiter;
  readonly open: OpenRequests;
  readonly memory: MemoryBudget;
  readonly requestRate: RequestRate;
  /** For invalid tokens that repeat a poll. */
  readonly invalidTokenThrottle: PollThrottle;
  /** For valid tokens that repeat a poll while the homeserver is in trouble. */
  readonly upstreamErrorThrottle: PollThrottle;
  readonly timer: CoarseTimer;
  readonly observer: RequestObserver;
  readonly log: Log;
  readonly unauthenticatedLog: UnauthenticatedLog;
};
