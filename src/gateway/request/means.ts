import type { Grant } from '../../domain/grant.ts';
import type { AccessControl } from '../../lifecycle/access/access-control.ts';
import type { FilterWorker } from '../filter-worker/filter-worker.ts';
import type { Media } from '../media/media.ts';
import type { RateClass } from '../http/call.ts';
import type { RateLimiter } from '../limits/rate-limiter.ts';
import type { Writer } from '../writes/writer.ts';
import type { Acquaintance } from '../personal/shared-room.ts';
import type { JsonClient } from '../upstream/json-client.ts';

/** What carrying out a verdict needs. */
export type Means = {
  readonly control: AccessControl;
  readonly forwarder: JsonClient;
  /** The same with less patience for large answers: for what is read in place. */
  readonly looking: JsonClient;
  readonly large: FilterWorker;
  readonly acquaintance: Acquaintance;
  readonly write: Writer;
  readonly media: Media;
  readonly paces: Readonly<Record<RateClass, RateLimiter>>;
  readonly upstreamTimeoutMs: number;
  readonly now: () => number;
  /** A grant's scope as a sentence. */
  readonly sentence: (grant: Grant, now: number) => string;
};
