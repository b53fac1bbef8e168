import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { MintwardenError, unreachable } from '../../domain/errors.ts';
import { effectiveState } from '../../domain/grant.ts';
import type { GrantId } from '../../domain/ids.ts';
import type { Network } from '../../domain/network.ts';
import type { Access, TokenVerification } from '../../lifecycle/access/access-control.ts';
import {
  ambiguous,
  type GatewayResponse,
  FORBIDDEN,
  LOCKED_DOWN,
  isResponse,
  rateLimited,
  ok,
  UNKNOWN_TOKEN,
  UNRECOGNIZED,
  USER_LOCKED,
  WRONG_METHOD,
} from '../http/response.ts';
import type { Notice, OpenLine } from '../endpoints/endpoint.ts';
import { isServedTo, judge, type JudgedLine, refusedBy } from './guard.ts';
import { clientAddress } from '../http/client-address.ts';
import { parseBearer, repeatedHeader } from '../http/bearer.ts';
import { readBody } from '../http/body.ts';
import { parseJsonBytes } from '../http/json.ts';
import { parseTarget, type Target } from '../http/target.ts';
import { type Route, type Router, unrouted } from '../endpoints/router.ts';
import { ruledOut, wrongNetwork } from './admission.ts';
import type { MemoryBudget } from '../limits/memory-budget.ts';
import type { PollThrottle } from '../limits/poll-throttle.ts';
import type { OpenRequests } from '../limits/open-requests.ts';
import type { Openly } from '../upstream/public-answers.ts';
import type { Prover } from '../http/instance-proof.ts';
import type { Means } from '../request/means.ts';
import { perform } from './perform.ts';
import type { RequestRate } from '../limits/request-rate.ts';
import { unlessAborted } from '../http/unless-aborted.ts';
import { isUse, useOf } from '../limits/uses.ts';
import { OVER, type Visit } from '../request/visit.ts';

/** What answering requests needs. */
export type Desk = Means & {
  readonly router: Router;
  readonly open: OpenRequests;
  readonly rate: RequestRate;
  readonly allowance: MemoryBudget;
  readonly openly: Openly;
  /** For ended tokens that repeat a sync. */
  readonly late: PollThrottle;
  /** For good tokens that repeat a sync while the homeserver is in trouble. */
  readonly trouble: PollThrottle;
  readonly bodyBytes: number;
  /** The base URL holders use. */
  readonly publicUrl: string;
  /** Whose word counts on where a request came from. */
  readonly trustedProxies: readonly Network[];
  /** Proves to `doctor` which instance this is. */
  readonly prove: Prover;
  /** Is told when a long-poll begins and when it is over. */
  readonly polling: (change: 1 | -1) => void;
};

/** What came of a request. `cut`: nothing is to be answered, the connection ends. */
export type Outcome = {
  readonly answer: GatewayResponse | 'cut';
  readonly operation: string;
  readonly grantId: GrantId | null;
};

/** Grants end seldom; so many in a row while a token is judged is a storm. */
const MAX_TRIES = 100;
const METHODS = new Set(['GET', 'PUT', 'POST', 'DELETE']);
/** What clients repeat without end. */
const POLLS = new Set(['sync', 'slidingSync']);

/**
 * Answers one request, in the order of the house: is it understood, is it for anyone, is the token good,
 * is there a line, what is the verdict; then it is carried out.
 * @throws the visit's reason, where it ended before there was an answer
 */
export function handle(request: IncomingMessage, desk: Desk, visit: Visit): Outcome | Promise<Outcome> {
  const method = request.method ?? '';
  const doubled = repeatedHeader(request.rawHeaders);
  // RFC 9112, 6.3: where it is not sure where a message ends, the connection does.
  if (doubled !== null)
    return { answer: { ...doubled, closeConnection: true }, operation: 'ambiguous', grantId: null };
  const target = parseTarget(request.url ?? '');
  if ('status' in target) return { answer: target, operation: 'ambiguous', grantId: null };
  if (!METHODS.has(method)) return { answer: WRONG_METHOD, operation: 'method', grantId: null };
  const route = desk.router(method, target.segments);
  const operation = route?.line.id ?? 'none';
  visit.known.operation = operation;
  if (route?.line.kind === 'notice')
    return { answer: ok(notice(route.line.notice, route, request, desk)), operation, grantId: null };
  if (route?.line.kind === 'open') {
    const open = answerOpenly(request, route.line, desk, visit);
    return open.then((answer) => ({ answer, operation, grantId: null }));
  }
  const bearer = parseBearer(request.rawHeaders);
  if (isResponse(bearer)) return { answer: bearer, operation, grantId: null };
  const { token } = bearer;
  const act = (presented: TokenVerification): Promise<Outcome> => {
    if (presented.kind !== 'valid') return turnAway(presented, token, operation, request, desk, visit);
    const { access } = presented;
    visit.known.grantId = access.grant.id;
    return serve(request, target, route, access, token, desk, visit).then((answer) => ({
      answer,
      operation,
      grantId: access.grant.id,
    }));
  };
  // Known at once in nearly all cases.
  const presented = desk.control.verifyToken(token);
  return presented instanceof Promise ? judged(presented, token, desk, act) : act(presented);
}

async function turnAway(
  presented: Exclude<TokenVerification, { readonly kind: 'valid' }>,
  token: string,
  operation: string,
  request: IncomingMessage,
  desk: Desk,
  visit: Visit,
): Promise<Outcome> {
  const answer = turnedAway(presented.kind);
  const turn = !POLLS.has(operation) || (await desk.late.turn(lateKey(token, request), visit.signal));
  return { answer: turn ? answer : 'cut', operation, grantId: presented.grantId };
}

async function answerOpenly(
  request: IncomingMessage,
  line: OpenLine,
  desk: Desk,
  visit: Visit,
): Promise<GatewayResponse> {
  const hasDevice = line.deviceFilter !== undefined && (await showsDevice(request, desk));
  return desk.openly(line, hasDevice, visit.signal);
}

/** Whether the request shows a good token that has a device. Who shows none, or a bad one, is anybody. */
async function showsDevice(request: IncomingMessage, desk: Desk): Promise<boolean> {
  const bearer = parseBearer(request.rawHeaders);
  if (isResponse(bearer)) return false;
  const presented = await desk.control.verifyToken(bearer.token);
  return presented.kind === 'valid' && presented.access.device === true;
}

/**
 * Judges a token; once more where a grant ended while that took time. The judgement is acted on in the
 * same breath: nothing ends between it and the first thing `act` does.
 */
async function judged(
  first: Promise<TokenVerification>,
  token: string,
  desk: Desk,
  act: (presented: TokenVerification) => Promise<Outcome>,
): Promise<Outcome> {
  let coming: TokenVerification | Promise<TokenVerification> = first;
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const before = desk.open.cuts;
    const presented = await coming;
    if (before === desk.open.cuts) return act(presented);
    coming = desk.control.verifyToken(token);
  }
  throw new MintwardenError('conflict', 'Too many grants ended at once.');
}

async function serve(
  request: IncomingMessage,
  target: Target,
  route: Route | null,
  access: Access,
  token: string,
  desk: Desk,
  visit: Visit,
): Promise<GatewayResponse | 'cut'> {
  const elsewhere = wrongNetwork(access.grant.scope, request, desk.trustedProxies);
  if (elsewhere !== null) return elsewhere;
  const waitMs = desk.rate.take(access.grant.id);
  if (waitMs > 0) return rateLimited(waitMs);
  if (route === null) return unrouted(desk.router, target.segments);
  const out = ruledOut(access.grant.scope, request.method ?? '', target, route);
  if (out !== null) return out;
  const { line, params } = route;
  if (line.kind === 'refused') return refusedBy(line);
  if (line.kind === 'notice' || line.kind === 'open') return FORBIDDEN;
  if (!isServedTo(line, access)) return UNRECOGNIZED;
  const { signal } = visit;
  if (signal.aborted) throw signal.reason;
  const leave = desk.open.enter(access.grant.id, visit);
  if (leave === null) return rateLimited(1_000);
  const held = desk.allowance.hold(access.grant.id, visit.times);
  const use = access.grant.scope.uses === undefined ? null : useOf(desk.control, access.grant.id);
  // Not when it is answered: an answer that nobody reads is in memory still.
  visit.whenLeft(() => {
    leave();
    held.close();
    use?.over();
  });
  let polls = false;
  try {
    // A file is passed on as it comes.
    const coming = line.kind === 'media' ? NO_BODY : bodyOf(request, line, desk, access.grant.id);
    const body = coming instanceof Promise ? await unlessAborted(coming, signal) : coming;
    if (isResponse(body)) return body;
    const verdict = judge(line, {
      params,
      query: target.query.values,
      body: body.value,
      access,
      now: desk.now(),
    });
    if (use !== null && isUse(verdict) && !(await unlessAborted(use.count(), signal))) return UNKNOWN_TOKEN;
    const withdraws = verdict.kind === 'deed' && verdict.deed === 'withdraw';
    // The end that a logout brings about is not to cut the logout's own answer off.
    if (withdraws) leave();
    if (verdict.kind === 'media') visit.patient();
    polls = verdict.kind === 'poll' || verdict.kind === 'sliding' || verdict.kind === 'idle';
    if (polls) desk.polling(1);
    const answer =
      verdict.kind === 'media'
        ? await desk.media.run(verdict.deed, access, request, held, signal)
        : await perform(verdict, access, desk, held, signal);
    if (
      (verdict.kind === 'poll' || verdict.kind === 'sliding') &&
      !(await calm(answer, access.grant.id, desk, signal))
    )
      return 'cut';
    const ended = signal.aborted || effectiveState(access.grant, desk.now()) !== 'active';
    if (!ended || withdraws) return answer;
    answer.file?.drop();
    return await overAnswer(token, desk);
  } catch (error) {
    if (signal.reason === OVER)
      return { ...(await overAnswer(token, desk)), ...(request.complete ? {} : { closeConnection: true }) };
    throw error;
  } finally {
    if (polls) desk.polling(-1);
  }
}

/**
 * Some clients repeat a sync that failed a thousand times a second, with a good token too: they are slowed.
 */
async function calm(
  answer: GatewayResponse,
  grantId: GrantId,
  desk: Desk,
  signal: AbortSignal,
): Promise<boolean> {
  if (answer.status >= 500) return desk.trouble.turn(grantId, signal);
  desk.trouble.forget(grantId);
  return true;
}

type Body = { readonly value: unknown } | GatewayResponse;
const NO_BODY: Body = Object.freeze({ value: undefined });

function bodyOf(
  request: IncomingMessage,
  line: JudgedLine,
  { bodyBytes, rate }: Desk,
  grantId: GrantId,
): Body | Promise<Body> {
  const bytes = readBody(request, bodyBytes);
  if (!(bytes instanceof Promise)) return bodyIn(bytes, line);
  return bytes.then((read) => {
    if (!isResponse(read)) rate.weigh(grantId, read.length);
    return bodyIn(read, line);
  });
}

function bodyIn(bytes: Buffer | GatewayResponse, line: JudgedLine): Body {
  if (isResponse(bytes)) return bytes;
  if (line.body === undefined || (line.body === 'json-if-any' && bytes.length === 0))
    return { value: undefined };
  return parseJsonBytes(bytes);
}

/** What the holder of a grant that ended in the middle of a request is told. */
async function overAnswer(token: string, desk: Desk): Promise<GatewayResponse> {
  const presented = await desk.control.verifyToken(token);
  return presented.kind === 'valid' ? UNKNOWN_TOKEN : turnedAway(presented.kind);
}

function turnedAway(kind: Exclude<TokenVerification['kind'], 'valid'>): GatewayResponse {
  if (kind === 'locked-down') return LOCKED_DOWN;
  return kind === 'suspended' ? USER_LOCKED : UNKNOWN_TOKEN;
}

function notice(which: Notice, { params }: Route, request: IncomingMessage, desk: Desk): unknown {
  switch (which) {
    case 'health':
      return { status: 'ok' };
    case 'well-known':
      return { 'm.homeserver': { base_url: desk.publicUrl } };
    case 'instance':
      return {
        proof: desk.prove(params['challenge'] ?? ''),
        from: clientAddress(request.socket.remoteAddress, request.rawHeaders, desk.trustedProxies),
      };
    default:
      return unreachable(which);
  }
}

/** Neither the token nor the address is kept as it is. */
function lateKey(token: string, request: IncomingMessage): string {
  return createHash('sha256')
    .update(`${request.socket.remoteAddress ?? ''} ${token}`)
    .digest('base64');
}

/** For a request whose method or target nobody should see. */
export const MALFORMED = ambiguous('it is not proper HTTP');
