import type { IncomingMessage, ServerResponse } from 'node:http';
import { MintwardenError } from '../domain/errors.ts';
import { hasBody } from './http/body.ts';
import { type GatewayResponse, matrixError, UNAVAILABLE } from './http/response.ts';
import { writeResponse } from './http/write-response.ts';
import {
  CLIENT_CLOSED,
  type Continuation,
  CUT,
  GRANT_ENDED,
  RequestContext,
  type StepResult,
  WAIT,
} from './request/context.ts';
import type { GatewayServices } from './request/services.ts';
import { admit } from './steps/admit.ts';
import { askUpstream } from './steps/ask-upstream.ts';
import { authenticate, endedResponse } from './steps/authenticate.ts';
import { authorize } from './steps/authorize.ts';
import { checkEndpoint } from './steps/check-endpoint.ts';
import { checkSharedRoom } from './steps/check-shared-room.ts';
import { countUse } from './steps/count-use.ts';
import { filterAnswer } from './steps/filter-answer.ts';
import { confirmGrant, throttlePolls } from './steps/finish.ts';
import { checkHead, parse } from './steps/parse.ts';
import { confirmRoom, lookAtUnknownRoom } from './steps/look-at-room.ts';
import { perform } from './steps/perform.ts';
import { readBody } from './steps/read-body.ts';
import { record } from './steps/record.ts';
import { reserve } from './steps/reserve.ts';
import { route } from './steps/route.ts';
import { servePublic } from './steps/serve-public.ts';

/** One step of a request: at once, or later. See `StepResult`. */
type Step = (context: RequestContext, services: GatewayServices) => StepResult | Promise<StepResult>;

/**
 * The life of a request. Each step reads and writes the context; a response ends it early. What is at hand is
 * answered without a promise. At the end the response is written, and the request recorded.
 */
export const STEPS: readonly Step[] = [
  // Is it understood?
  checkHead,
  parse,
  route,
  // Does it need no token?
  servePublic,
  // Whose is it, and is it within the limits?
  authenticate,
  admit,
  checkEndpoint,
  reserve,
  // What does it want, and may it?
  readBody,
  lookAtUnknownRoom,
  authorize,
  countUse,
  confirmRoom,
  checkSharedRoom,
  // It is done here, or asked of the homeserver and filtered.
  perform,
  askUpstream,
  filterAnswer,
  // May the answer still be given?
  throttlePolls,
  confirmGrant,
];

/** The steps that decide from the request and the grant alone: `!can` runs these and no others. */
export const DECIDING_STEPS = { parse, route, checkEndpoint, authorize } as const;

const INTERNAL = matrixError(500, 'M_UNKNOWN', 'Something went wrong here.');

/** @returns what takes a request through all steps */
export function createPipeline(
  services: GatewayServices,
): (message: IncomingMessage, response: ServerResponse) => void {
  const continuation: Continuation = {
    resume: (context, result) => {
      if (result instanceof Promise) continueLater(context, services, result);
      else take(context, services, result);
    },
    fail: (context, error) => fail(context, services, error),
  };
  return (message, response) => {
    const context = new RequestContext(message, response, services.now(), services.timer, continuation);
    if (!hasBody(message) && message.httpVersionMajor === 1) return run(context, services);
    context.limitBody(services.timer.now() + services.limits.requestTimeoutMs);
    // Once all that has come was parsed: a fault in it is then the only answer there is.
    queueMicrotask(() => run(context, services));
  };
}

function run(context: RequestContext, services: GatewayServices): void {
  try {
    for (;;) {
      const step = STEPS[context.next];
      if (step === undefined) return finish(context, services, context.result ?? INTERNAL);
      context.next++;
      const result = step(context, services);
      if (result === undefined) continue;
      if (result === WAIT) return;
      if (result instanceof Promise) return continueLater(context, services, result);
      return finish(context, services, result);
    }
  } catch (error) {
    fail(context, services, error);
  }
}

function continueLater(
  context: RequestContext,
  services: GatewayServices,
  coming: Promise<StepResult>,
): void {
  coming.then(
    (result) => take(context, services, result),
    (error: unknown) => fail(context, services, error),
  );
}

/** Continues with the result of a step that made the request wait. */
function take(context: RequestContext, services: GatewayServices, result: StepResult): void {
  if (context.isDone || context.abortReason !== null) {
    if (typeof result === 'object') result.file?.drop();
  } else if (result === undefined) run(context, services);
  else if (result !== WAIT) finish(context, services, result);
}

function finish(
  context: RequestContext,
  services: GatewayServices,
  result: GatewayResponse | typeof CUT,
): void {
  if (context.isDone) return;
  context.isDone = true;
  if (result === CUT) {
    context.message.socket.destroy();
    record(context, services, { outcome: 'cut', response: null });
    return;
  }
  record(context, services, { outcome: 'answered', response: write(context, services, result) });
}

/** Writes a response; what cannot be written (JSON nested deeper than the stack) is told as an error of ours. */
function write(context: RequestContext, services: GatewayServices, result: GatewayResponse): GatewayResponse {
  const { message, response } = context;
  const { readTimeoutMs, requestTimeoutMs } = services.limits;
  if (!message.complete && hasBody(message)) context.limitRest(services.timer.now() + requestTimeoutMs);
  try {
    writeResponse(response, result, readTimeoutMs);
    if (response.writableLength > 0) context.writtenAt = services.timer.now();
    return result;
  } catch (error) {
    result.file?.drop();
    const refusal = refusalOf(services, error);
    if (response.headersSent) message.socket.destroy();
    else writeResponse(response, refusal, readTimeoutMs);
    return refusal;
  }
}

/** Ends a request that came to an error: its holder has gone, its grant has ended, or something is wrong. */
function fail(context: RequestContext, services: GatewayServices, error: unknown): void {
  if (context.isDone) return;
  if (context.abortReason === CLIENT_CLOSED) {
    context.isDone = true;
    record(context, services, { outcome: 'left', response: null });
  } else if (context.abortReason === GRANT_ENDED) {
    endedResponse(context, services).then(
      (response) => finish(context, services, response),
      (other: unknown) => finish(context, services, refusalOf(services, other)),
    );
  } else finish(context, services, refusalOf(services, error));
}

function refusalOf({ log }: GatewayServices, error: unknown): GatewayResponse {
  // The name and the code alone: a message could quote what was asked.
  log.error('request failed', { error: nameOf(error) });
  return error instanceof MintwardenError && error.code !== 'internal' ? UNAVAILABLE : INTERNAL;
}

function nameOf(error: unknown): string {
  if (error instanceof MintwardenError) return error.code;
  return error instanceof Error ? error.name : 'unknown';
}
