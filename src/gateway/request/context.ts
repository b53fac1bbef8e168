import { MintwardenError } from '../../domain/errors.ts';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { GrantId } from '../../domain/ids.ts';
import type { Access } from '../../lifecycle/access/access-control.ts';
import type { GatewayResponse } from '../http/response.ts';
import type { Target } from '../http/target.ts';
import type { CoarseTimer, Expiring } from '../limits/coarse-timer.ts';
import { type AnswerReader, type MemoryReservation, NO_MEMORY } from '../limits/memory-budget.ts';
import type { Cuttable } from '../limits/open-requests.ts';
import type { Use } from '../limits/uses.ts';
import type { Received } from '../upstream/json-client.ts';
import type { Plan } from './plan.ts';
import type { Route } from './router.ts';
import type { TaskContext } from './task.ts';

/** The reason a request is aborted with when the holder has closed the connection before the answer. */
export const CLIENT_CLOSED: Error = Object.freeze(new Error('the client closed the connection'));
/** The reason a request is aborted with when its grant is no longer valid. */
export const GRANT_ENDED: Error = Object.freeze(new Error('the grant is no longer valid'));

/** The part of a request that is decided on: what `!can` makes up, and the gateway reads off the wire. */
export type Decision = {
  readonly method: string;
  /** The request target as it came. */
  readonly rawTarget: string;
  now: number;
  target: Target | null;
  route: Route | null;
  access: Access | null;
  /** The body, parsed, where the endpoint takes one. */
  body: unknown;
  plan: Plan | null;
};

/** What a step comes to, besides undefined: go on with the next one. */
export type StepResult = GatewayResponse | typeof WAIT | typeof CUT | undefined;
/** The step goes on by itself and calls `resume` or `fail`, once. */
export const WAIT: unique symbol = Symbol('wait');
/** There is no answer: the connection ends. */
export const CUT: unique symbol = Symbol('cut');

/** What continues a request that a step made wait. */
export type Continuation = {
  readonly resume: (context: RequestContext, result: StepResult | Promise<StepResult>) => void;
  readonly fail: (context: RequestContext, error: unknown) => void;
};

/** One request: what was read of it, what was decided, and what is held for it until its end. */
export class RequestContext implements Decision, TaskContext, Cuttable, AnswerReader {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly method: string;
  readonly rawTarget: string;
  /** Epoch milliseconds, and milliseconds by the timer’s clock. */
  readonly startedAt: number;
  readonly startedMonotonic: number;
  now: number;

  target: Target | null = null;
  route: Route | null = null;
  /** The presented token; empty until it is read. */
  token = '';
  access: Access | null = null;
  body: unknown = undefined;
  plan: Plan | null = null;
  /** What the homeserver answered to a forwarded request. */
  received: Received | null = null;
  /** The answer, once there is one. */
  result: GatewayResponse | null = null;

  /** For the log and the metrics: also where the request came to no answer. */
  operation = 'none';
  grantId: GrantId | null = null;
  /** How long the homeserver has taken so far, in milliseconds. */
  homeserverMs = 0;

  memory: MemoryReservation = NO_MEMORY;
  writtenAt: number | null = null;
  use: Use | null = null;
  /** What a step that waits has called when the request is aborted. */
  onAbort: (() => void) | null = null;
  /** The answer says that the grant has ended, or ends it: that does not cut it off. */
  mayOutliveGrant = false;
  /** A long-poll that is counted as open. */
  isPolling = false;

  /** Kept by the pipeline: the next step, and whether everything is done. */
  next = 0;
  isDone = false;

  /** Kept by the list of open requests. */
  listIndex = -1;
  abortReason: Error | null = null;
  readonly #continuation: Continuation;
  readonly #timer: CoarseTimer;
  #controller: AbortController | null = null;
  #release: (() => void) | null = null;
  #bodyDeadline: BodyDeadline | null = null;

  constructor(
    message: IncomingMessage,
    response: ServerResponse,
    startedAt: number,
    timer: CoarseTimer,
    continuation: Continuation,
  ) {
    this.message = message;
    this.response = response;
    // RFC 9110, 9.3.2: the same as GET, and the body is not sent.
    this.method = message.method === 'HEAD' ? 'GET' : (message.method ?? '');
    this.rawTarget = message.url ?? '';
    this.startedAt = startedAt;
    this.startedMonotonic = timer.now();
    this.now = startedAt;
    this.#timer = timer;
    this.#continuation = continuation;
    response.on('close', () => this.#onClose());
  }

  /** Goes on after `WAIT`. Does nothing once the request is done. */
  resume(result: StepResult | Promise<StepResult>): void {
    this.#continuation.resume(this, result);
  }

  /** Goes on after `WAIT` with an error. */
  fail(error: unknown): void {
    this.#continuation.fail(this, error);
  }

  /** Ends the connection where the request's body has not come by then, by the timer's clock. */
  limitBody(deadline: number): void {
    this.#bodyDeadline = new BodyDeadline(this.message, deadline);
    this.#timer.add(this.#bodyDeadline);
  }

  /** The body may take its time: it is a file. */
  disableBodyTimeout(): void {
    if (this.#bodyDeadline !== null) this.#timer.delete(this.#bodyDeadline);
    this.#bodyDeadline = null;
  }

  /** As `limitBody`, for what is left of a body once the answer is there: nobody waits for it any more. */
  limitRest(deadline: number): void {
    if (this.#bodyDeadline === null) this.limitBody(deadline);
  }

  /** For what takes a signal; made when first asked for. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.abortReason !== null) this.#controller.abort(this.abortReason);
    return this.#controller.signal;
  }

  /** Has this called once, when the answer was read or the holder has gone. Only the last one given counts. */
  onClose(release: () => void): void {
    this.#release = release;
  }

  /** The grant is no longer valid: ends the request and drops what is still unread of the answer. */
  endByGrant(): void {
    if (this.mayOutliveGrant) return;
    this.#abort(GRANT_ENDED);
    // Answered while the grant was valid.
    if (this.response.headersSent) this.#cut();
  }

  endSlowReading(): void {
    this.#cut();
  }

  /** Not by the response: one that waits behind another on its connection (pipelining) would still be written. */
  #cut(): void {
    this.message.socket.destroy();
  }

  #abort(reason: Error): void {
    if (this.abortReason !== null) return;
    this.abortReason = reason;
    this.#controller?.abort(reason);
    this.onAbort?.();
    this.onAbort = null;
    this.#continuation.fail(this, reason);
  }

  #onClose(): void {
    // Answered early, the rest of the body would come for as long as it likes, where the connection is open still.
    if (this.message.complete || this.message.socket.destroyed) this.disableBodyTimeout();
    this.#release?.();
    this.#release = null;
    if (!this.response.writableFinished) this.#abort(CLIENT_CLOSED);
  }
}

/** Ends a connection whose request has a body that is not there in time. */
export class BodyDeadline implements Expiring {
  listIndex = -1;
  readonly deadline: number;
  readonly #message: IncomingMessage;

  constructor(message: IncomingMessage, deadline: number) {
    this.#message = message;
    this.deadline = deadline;
  }

  onExpired(): void {
    if (!this.#message.complete) this.#message.socket.destroy();
  }
}

/** The route of a request that has one. @throws MintwardenError `internal` before that is known */
export function requireRoute({ route }: Pick<Decision, 'route'>): Route {
  if (route === null) throw new MintwardenError('internal', 'A step ran before the request was routed.');
  return route;
}
