import { createHash } from 'node:crypto';
import { MintwardenError } from '../../domain/errors.ts';
import type { TokenVerification } from '../../lifecycle/access/access-control.ts';
import { parseBearer } from '../http/bearer.ts';
import {
  type GatewayResponse,
  isResponse,
  LOCKED_DOWN,
  UNKNOWN_TOKEN,
  USER_LOCKED,
} from '../http/response.ts';
import { CUT, type RequestContext, type StepResult, WAIT } from '../request/context.ts';
import { isTask } from '../request/endpoint.ts';
import type { GatewayServices } from '../request/services.ts';

/** Grants end seldom; that many while one token is verified means that something is wrong. */
const MAX_TRIES = 100;

/** Verifies the token; nearly always at once. */
export function authenticate(
  context: RequestContext,
  services: GatewayServices,
): StepResult | Promise<StepResult> {
  const bearer = parseBearer(context.message.rawHeaders);
  if (isResponse(bearer)) return bearer;
  context.token = bearer.token;
  const verified = services.accessControl.verifyToken(bearer.token, context.message.socket);
  if (!(verified instanceof Promise)) return accept(context, services, verified);
  authenticateLater(context, services, verified).catch((error: unknown) => context.fail(error));
  return WAIT;
}

/**
 * Verifies again where a grant ended while the first answer was under way. The request goes on in the same turn
 * that the answer comes in: no grant can end between it and the next steps.
 */
async function authenticateLater(
  context: RequestContext,
  services: GatewayServices,
  first: Promise<TokenVerification>,
): Promise<void> {
  let coming: TokenVerification | Promise<TokenVerification> = first;
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const before = services.open.cuts;
    const verified: TokenVerification = await coming;
    if (before === services.open.cuts) return context.resume(accept(context, services, verified));
    coming = services.accessControl.verifyToken(context.token, context.message.socket);
  }
  throw new MintwardenError('conflict', 'Too many grants ended at once.');
}

function accept(
  context: RequestContext,
  services: GatewayServices,
  verified: TokenVerification,
): StepResult | Promise<StepResult> {
  if (verified.kind !== 'valid') {
    context.grantId = verified.grantId;
    return reject(context, services, refusalOf(verified.kind));
  }
  context.access = verified.access;
  context.grantId = verified.access.grant.id;
  return undefined;
}

/** Some clients repeat a refused sync a thousand times a second: the second one is answered late. */
function reject(
  context: RequestContext,
  { invalidTokenThrottle }: GatewayServices,
  response: GatewayResponse,
): StepResult | Promise<StepResult> {
  if (context.route === null || !isTask(context.route.endpoint, 'poll')) return response;
  const key = throttleKey(context);
  return invalidTokenThrottle.turn(key, context.signal).then((turn) => (turn ? response : CUT));
}

/** Neither the token nor the address is kept as it is. */
function throttleKey({ message, token }: RequestContext): string {
  return createHash('sha256')
    .update(`${message.socket.remoteAddress ?? ''} ${token}`)
    .digest('base64');
}

/** The response to a request whose grant ended while it was open. */
export async function endedResponse(
  { token }: RequestContext,
  { accessControl }: Pick<GatewayServices, 'accessControl'>,
): Promise<GatewayResponse> {
  const verified = await accessControl.verifyToken(token);
  return verified.kind === 'valid' ? UNKNOWN_TOKEN : refusalOf(verified.kind);
}

function refusalOf(kind: Exclude<TokenVerification['kind'], 'valid'>): GatewayResponse {
  if (kind === 'locked-down') return LOCKED_DOWN;
  return kind === 'suspended' ? USER_LOCKED : UNKNOWN_TOKEN;
}
