import type { IncomingMessage } from 'node:http';
import type { Grant } from '../../domain/grant.ts';
import type { Network } from '../../domain/network.ts';
import type { Access, AccessControl } from '../../lifecycle/access/access-control.ts';
import type { FilterWorker } from '../filter-worker/filter-worker.ts';
import type { RateClass } from '../http/call.ts';
import type { InstanceProver } from '../http/instance-proof.ts';
import type { GatewayResponse } from '../http/response.ts';
import type { GatewayLimits } from '../limits/limits.ts';
import type { MemoryReservation } from '../limits/memory-budget.ts';
import type { RateLimiter } from '../limits/rate-limiter.ts';
import type { Media, MediaAction } from '../media/media.ts';
import type { SyncRequest } from '../sync/sync-request.ts';
import type { JsonClient } from '../upstream/json-client.ts';
import type { MultiStep } from '../upstream/tools.ts';
import type { WriteRequest } from '../writes/write-request.ts';
import type { Writer } from '../writes/writer.ts';

/** What a task knows of its request. */
export type TaskContext = {
  readonly message: IncomingMessage;
  readonly access: Access | null;
  readonly memory: MemoryReservation;
  /** How long the homeserver has taken so far, in milliseconds. */
  homeserverMs: number;
  /** Aborted when the holder has gone or the grant is no longer valid. */
  readonly signal: AbortSignal;
  /** The answer says that the grant has ended, or ends it: that does not cut it off. */
  mayOutliveGrant: boolean;
};

/** What tasks may use. */
export type TaskServices = {
  readonly accessControl: AccessControl;
  readonly json: JsonClient;
  readonly filterWorker: FilterWorker;
  readonly write: Writer;
  readonly media: Media;
  readonly rateLimiters: Readonly<Record<RateClass, RateLimiter>>;
  readonly limits: GatewayLimits;
  /** The base URL holders use. */
  readonly publicUrl: string;
  /** The proxies whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly Network[];
  /** Proves to `doctor` which instance this is. */
  readonly proveInstance: InstanceProver;
  /** What a token is good for, as its holder is told. @param usesLeft null where uses are not counted */
  readonly introspect: (access: Access, sentence: string, usesLeft: number | null, now: number) => unknown;
  /** A grant's scope as a sentence. */
  readonly sentence: (grant: Grant, now: number) => string;
  readonly now: () => number;
};

/** What takes more than one question to the homeserver, or none. */
export type Task = {
  /** @throws the reason of the signal, once that is aborted; MintwardenError where upstream fails */
  readonly run: (context: TaskContext, services: TaskServices) => Promise<GatewayResponse>;
  /** What must hold besides, in sentences, that only the homeserver or the room can tell. For `!can`. */
  readonly conditions?: readonly string[];
} & (
  | { readonly kind: 'multiStep'; readonly steps: MultiStep }
  | { readonly kind: 'write'; readonly write: WriteRequest }
  | { readonly kind: 'media'; readonly action: MediaAction }
  | { readonly kind: 'poll'; readonly poll: SyncRequest }
  | { readonly kind: 'emptySync' | 'slidingSync' | 'token' }
);
