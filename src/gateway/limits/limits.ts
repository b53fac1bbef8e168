import { DEFAULT_MEMORY_BYTES, type MemoryPlan, memoryPlan } from './memory-plan.ts';

/** What the gateway bounds. Times in milliseconds. */
export type GatewayLimits = MemoryPlan & {
  /** The largest body of a request. */
  readonly bodyBytes: number;
  /** A request's request line and headers together. */
  readonly headerBytes: number;
  /**
   * Answers up to here are filtered in place: handing them to another thread would cost more than it saves.
   */
  readonly inPlaceBytes: number;
  /** For one step of a large answer in the filter's own thread. */
  readonly largeTimeoutMs: number;
  /** Requests of one grant at the same time, until their answers are read. */
  readonly concurrentPerGrant: number;
  /**
   * How many requests a grant may make each second on average, and how many at once after a pause.
   */
  readonly requestsPerSecond: number;
  readonly requestsAtOnce: number;
  readonly connections: number;
  /** How often a grant may write on average. */
  readonly writesPerSecond: number;
  /** How many writes a grant may make at once. */
  readonly writesAtOnce: number;
  /** The same for the subject's own data, and for what makes the homeserver ask another server. */
  readonly personalPerSecond: number;
  readonly personalAtOnce: number;
  /** How long nothing of an answer may be read. */
  readonly readTimeoutMs: number;
  /** How long a sync may wait at most. */
  readonly longPollMs: number;
  /** For a whole request to arrive. */
  readonly requestTimeoutMs: number;
  /** For a file to be uploaded. */
  readonly uploadTimeoutMs: number;
  /**
   * The largest file that is passed on to a holder, and to the homeserver; both have their own limits
   * besides.
   */
  readonly mediaBytes: number;
  readonly uploadBytes: number;
  /** For the homeserver to answer, beyond a long-poll's own wait. */
  readonly upstreamTimeoutMs: number;
  /** How late an ended token's repeated syncs are answered: the second, the third, …; the last stays. */
  readonly invalidTokenDelaysMs: readonly number[];
  /** The same for the syncs of a good token while the homeserver is in trouble. */
  readonly upstreamErrorDelaysMs: readonly number[];
};

/** What holds where nothing else is said. */
export const DEFAULT_LIMITS: GatewayLimits = {
  bodyBytes: 262_144,
  headerBytes: 32_768,
  ...memoryPlan(DEFAULT_MEMORY_BYTES),
  inPlaceBytes: 65_536,
  largeTimeoutMs: 15_000,
  concurrentPerGrant: 64,
  requestsPerSecond: 50,
  requestsAtOnce: 200,
  connections: 10_000,
  writesPerSecond: 0.1,
  writesAtOnce: 5,
  personalPerSecond: 1,
  personalAtOnce: 20,
  readTimeoutMs: 60_000,
  longPollMs: 300_000,
  requestTimeoutMs: 30_000,
  uploadTimeoutMs: 600_000,
  mediaBytes: 2_147_483_648,
  uploadBytes: 52_428_800,
  upstreamTimeoutMs: 30_000,
  invalidTokenDelaysMs: [5_000, 10_000, 20_000, 30_000],
  upstreamErrorDelaysMs: [1_000, 2_000, 5_000],
};
