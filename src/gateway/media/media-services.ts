import type { AccessControl } from '../../lifecycle/access/access-control.ts';
import type { RateLimiter } from '../limits/rate-limiter.ts';
import type { Upstreams } from '../upstream/ask.ts';
import type { FileClient } from '../upstream/file-client.ts';
import type { MediaGate } from './gate.ts';

/** What files use. Times in milliseconds. */
export type MediaServices = Upstreams & {
  readonly accessControl: AccessControl;
  readonly files: FileClient;
  readonly gate: MediaGate;
  /** For uploads. */
  readonly rateLimiter: RateLimiter;
  readonly upstreamTimeoutMs: number;
  /** How long nothing may come, or be read. */
  readonly idleTimeoutMs: number;
  /** The largest file that is passed on to a holder. */
  readonly mediaBytes: number;
  readonly uploadBytes: number;
};
