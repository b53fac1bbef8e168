import { randomBytes } from 'node:crypto';
import type { Config } from '../../config/index.ts';
import type { Policy } from '../../domain/policy.ts';
import type { Log } from '../../ports/log.ts';
import type { Monitoring } from '../monitoring/monitoring.ts';

/** What every part of the start is handed. What is added to `lifetime` ends in reverse order. */
export type StartContext = {
  readonly config: Config;
  readonly log: Log;
  /** Aborts a start that is under way. */
  readonly signal: AbortSignal;
  readonly lifetime: AsyncDisposableStack;
  readonly monitoring: Monitoring;
  readonly policy: { readonly get: () => Policy; readonly set: (policy: Policy) => void };
};

export const wallClock = { now: () => Date.now() };
export const random = { bytes: (count: number) => randomBytes(count) };
