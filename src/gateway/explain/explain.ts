import { CAPABILITY, isCapability } from '../../domain/capability.ts';
import type { Explanation, Question } from '../../domain/explanation.ts';
import { effectiveState, type Grant } from '../../domain/grant.ts';
import type { RoomId } from '../../domain/ids.ts';
import { isObject } from '../../domain/json.ts';
import { CATALOGUE } from '../endpoints/catalogue.ts';
import type { Parsed } from '../http/json.ts';
import {
  type GatewayResponse,
  isResponse,
  REFUSED_BY_RULES,
  UNKNOWN_TOKEN,
  USER_LOCKED,
  WRONG_METHOD,
} from '../http/response.ts';
import { DECIDING_STEPS } from '../pipeline.ts';
import type { Decision } from '../request/context.ts';
import { requireAccess } from '../request/access.ts';
import type { Endpoint, RefusedEndpoint, ServingEndpoint } from '../request/endpoint.ts';
import type { Plan } from '../request/plan.ts';
import { createRouteCache } from '../request/route-cache.ts';
import { createRouter } from '../request/router.ts';
import { parseBody } from '../steps/read-body.ts';

const services = { router: createRouter(CATALOGUE), routeCache: createRouteCache() };
const NO_BODY =
  'It was judged with an empty body. What the body says counts too: put it, in single quotes, behind the path.';

/**
 * Says what would become of a request, by running the gateway's own deciding steps. Pure: nothing is forwarded,
 * nothing counted.
 * @param rooms the rooms in scope; null: not known here, then what depends on them is said to
 */
export function explain(
  question: Question,
  grant: Grant,
  rooms: ReadonlySet<RoomId> | null,
  now: number,
): Explanation {
  const state = effectiveState(grant, now);
  if (state === 'inactive')
    return refused(UNKNOWN_TOKEN, null, [
      'The token is not valid, or no longer: every request with it is refused.',
    ]);
  if (state === 'suspended')
    return refused(USER_LOCKED, null, [
      'The user is locked: every request is refused until they are unlocked.',
    ]);
  const decision: Decision = {
    method: methodOf(question),
    rawTarget: pathIn(question.target),
    now,
    target: null,
    route: null,
    access: { grant, rooms: rooms ?? new Set() },
    body: undefined,
    plan: null,
  };
  const unread = DECIDING_STEPS.parse(decision, services);
  if (unread === WRONG_METHOD)
    return refused(unread, null, ['The gateway serves GET, HEAD, PUT, POST, DELETE, and no other method.']);
  if (unread !== undefined) return refused(unread, null, [errorIn(unread)]);
  const unroutable = DECIDING_STEPS.route(decision, services);
  if (unroutable !== undefined) return refused(unroutable, null, [errorIn(unroutable)]);
  const endpoint = decision.route?.endpoint ?? null;
  if (endpoint?.kind === 'static' || endpoint?.kind === 'public')
    return passing(endpoint, 'yes', ['Anybody may ask that, without a token.', endpoint.why]);
  const room = decision.route?.params['roomId'] as RoomId | undefined;
  if (rooms === null && room !== undefined) decision.access = { grant, rooms: new Set([room]) };
  const unserved = DECIDING_STEPS.checkEndpoint(decision, services);
  if (endpoint === null) return unrouted(decision.method, unserved ?? WRONG_METHOD);
  if (unserved !== undefined) return notServed(endpoint, unserved);
  if (endpoint.kind === 'refused') return refusedToAll(endpoint, WRONG_METHOD);
  const body = bodyOf(question, endpoint);
  if (isResponse(body)) return refused(body, endpoint, [errorIn(body)]);
  decision.body = body.value;
  const refusal = DECIDING_STEPS.authorize(decision);
  return explainPlan(endpoint, decision, refusal, question.body === null, rooms === null);
}

/** HEAD is GET, as the gateway takes it. */
function methodOf({ method }: Question): string {
  const upper = method.toUpperCase();
  return upper === 'HEAD' ? 'GET' : upper;
}

function bodyOf({ body }: Question, endpoint: ServingEndpoint): Parsed | GatewayResponse {
  if (body !== null) return parseBody(endpoint, Buffer.from(body));
  return { value: endpoint.body === 'json' ? {} : undefined };
}

function explainPlan(
  endpoint: ServingEndpoint,
  decision: Decision,
  refusal: GatewayResponse | undefined,
  isBodyMissing: boolean,
  areRoomsUnknown: boolean,
): Explanation {
  const { grant } = requireAccess(decision);
  const room = decision.route?.params['roomId'] ?? 'the room';
  const unknownRoom =
    areRoomsUnknown && endpoint.room === 'path'
      ? [`Whether ${room} is in scope is not known here: it is looked up when the token is used.`]
      : [];
  const noBody = endpoint.body === 'json' && isBodyMissing;
  if (refusal !== undefined)
    return explainRefusal(endpoint, decision, refusal, noBody, [...unknownRoom, ...conditionsOf(grant)]);
  const { plan } = decision;
  const doubts = [
    ...(plan === null ? [] : doubtsOf(endpoint, plan)),
    ...unknownRoom,
    ...(noBody ? [NO_BODY] : []),
  ];
  return {
    ...passing(endpoint, doubts.length > 0 ? 'depends' : 'yes', [
      ...doubts,
      ...conditionsOf(grant),
      endpoint.why,
    ]),
    asked: plan === null ? null : askedOf(endpoint, plan),
  };
}

function explainRefusal(
  endpoint: ServingEndpoint,
  decision: Decision,
  response: GatewayResponse,
  noBody: boolean,
  notes: readonly string[],
): Explanation {
  const { missingCapability: lacks } = response;
  if (lacks !== undefined) {
    const allows = isCapability(lacks) ? [`${lacks} would let it ${CAPABILITY[lacks].allows}.`] : [];
    return { ...refused(response, endpoint, [errorIn(response), ...allows]), lacks };
  }
  const access = requireAccess(decision);
  const params = decision.route?.params ?? {};
  const room = params['roomId'] as RoomId | undefined;
  if (endpoint.room === 'path' && room !== undefined && !access.rooms.has(room))
    return refused(response, endpoint, [`${room} is not among the rooms in scope.`, endpoint.why]);
  if (endpoint.user === 'self' && params['userId'] !== access.grant.subject)
    return refused(response, endpoint, [
      `It is about another user than ${access.grant.subject}, for whom the token speaks.`,
      endpoint.why,
    ]);
  if (noBody)
    return {
      ...passing(endpoint, 'depends', [NO_BODY, ...notes, endpoint.why]),
      asked: endpoint.asked ?? null,
    };
  return refused(response, endpoint, [errorIn(response), endpoint.why]);
}

/** What only the homeserver or the room can tell. */
function doubtsOf(endpoint: ServingEndpoint, plan: Plan): readonly string[] {
  if (plan.kind === 'forward' && plan.sharedRoomWith !== null)
    return [`${plan.sharedRoomWith} must be a member of a room in scope, which is looked up first.`];
  if (plan.kind !== 'task') return [];
  const { kind, conditions = [] } = plan.task;
  const changes = kind === 'multiStep' && endpoint.needs !== 'holder' && CAPABILITY[endpoint.needs].writes;
  return changes
    ? ['What the user may do in the room, the room and the homeserver say.', ...conditions]
    : conditions;
}

/** What else a scope asks of every request. */
function conditionsOf({ scope }: Grant): readonly string[] {
  const { from, uses, power } = scope;
  const networks = from?.length === 0 ? 'nowhere: no network is named' : from?.join(' or ');
  return [
    ...(networks === undefined ? [] : [`It must come from ${networks}.`]),
    ...(uses === undefined ? [] : ['It counts as one use, if any is left.']),
    ...(power === undefined ? [] : [`Where it takes power, it acts with at most ${power}.`]),
  ];
}

function askedOf(endpoint: ServingEndpoint, plan: Plan): string | null {
  if (plan.kind === 'answer') return null;
  if (plan.kind === 'task')
    return plan.task.kind === 'token' || plan.task.kind === 'emptySync' ? null : (endpoint.asked ?? null);
  const { method, path, query } = plan.request;
  const names = query.map(([name]) => name);
  return `${method} ${path}${names.length === 0 ? '' : `, with ${names.join(', ')}`}`;
}

function unrouted(method: string, response: GatewayResponse): Explanation {
  const why =
    response.status === 405
      ? `The operation has another method than ${method}.`
      : 'The catalogue of the gateway has no such operation: it is served to no token.';
  return refused(response, null, [why]);
}

function notServed(endpoint: Endpoint, response: GatewayResponse): Explanation {
  if (response === REFUSED_BY_RULES)
    return refused(response, endpoint, ['The endpoint rules of the scope do not let it pass.', endpoint.why]);
  if (endpoint.kind === 'refused') return refusedToAll(endpoint, response);
  return refused(response, endpoint, [
    'It is served only to tokens that have a device of their own; this one has none.',
    endpoint.why,
  ]);
}

function refusedToAll(endpoint: RefusedEndpoint, response: GatewayResponse): Explanation {
  if (endpoint.needs === 'never') {
    const never =
      endpoint.unserved === true
        ? 'It is not served to any token.'
        : 'No token may do that, whatever its scope.';
    return refused(response, endpoint, [never, endpoint.why]);
  }
  const why = `It needs the capability ${endpoint.needs}, which this version does not grant yet.`;
  return { ...refused(response, endpoint, [why, endpoint.why]), lacks: endpoint.needs };
}

function refused(response: GatewayResponse, endpoint: Endpoint | null, why: readonly string[]): Explanation {
  return {
    passes: 'no',
    operation: endpoint?.id ?? null,
    status: response.status,
    lacks: null,
    why,
    asked: null,
    shown: null,
  };
}

function passing(endpoint: Endpoint, passes: 'yes' | 'depends', why: readonly string[]): Explanation {
  const asked = endpoint.kind === 'public' ? `GET ${endpoint.to}` : null;
  return {
    passes,
    operation: endpoint.id,
    status: null,
    lacks: null,
    why,
    asked,
    shown: endpoint.shown ?? null,
  };
}

function errorIn({ body }: GatewayResponse): string {
  return isObject(body) && typeof body['error'] === 'string' ? body['error'] : 'It is refused.';
}

/**
 * The path and query of what was typed: an address loses its beginning, a fragment its end, which never
 * travels.
 */
function pathIn(typed: string): string {
  const path = typed
    .trim()
    .replace(/^https?:\/\/[^/?#]*/i, '')
    .replace(/#.*$/s, '');
  return path.startsWith('/') ? path : `/${path}`;
}
