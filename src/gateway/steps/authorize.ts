import { parseUserId, type RoomId } from '../../domain/ids.ts';
import { allows, type Scope } from '../../domain/scope.ts';
import { typeAllowed } from '../../domain/scope-checks.ts';
import type { Call } from '../http/call.ts';
import {
  FORBIDDEN,
  type GatewayResponse,
  invalid,
  isResponse,
  missingCapability,
  NO_PARAMETERS,
  UNRECOGNIZED,
} from '../http/response.ts';
import { type Decision, requireRoute } from '../request/context.ts';
import { requireAccess } from '../request/access.ts';
import type { ForwardEndpoint, ServingEndpoint } from '../request/endpoint.ts';
import type { Plan } from '../request/plan.ts';
import type { Task } from '../request/task.ts';
import { pathOf } from '../rewrite/path.ts';

/** Decides about the request by the scope, and plans what is to be done. */
export function authorize(decision: Decision): GatewayResponse | undefined {
  const { endpoint, params } = requireRoute(decision);
  if (endpoint.kind === 'static' || endpoint.kind === 'public' || endpoint.kind === 'refused')
    return UNRECOGNIZED;
  const access = requireAccess(decision);
  const { body, now, target } = decision;
  const plan = planFor(endpoint, { params, query: target?.query.values ?? NO_QUERY, body, access, now });
  decision.plan = plan;
  return plan.kind === 'answer' && plan.response.status !== 200 ? plan.response : undefined;
}

/** For a request that has none. */
export const NO_QUERY: Call['query'] = new Map();

/**
 * The plan for a request of a valid token. Pure. The endpoint's rules in their order: the capability, the room,
 * the user, what else it checks; then the request upstream is built from what was understood. Every refusal for
 * reasons of rooms and users is the same answer, made without asking the homeserver; a capability that is
 * missing is named, before rooms and users are looked at.
 */
export function planFor(endpoint: ServingEndpoint, call: Call): Plan {
  const { access, params } = call;
  if (endpoint.device === true && access.device !== true) return answer(UNRECOGNIZED);
  const missing = missingFor(endpoint, call);
  if (missing !== null) {
    return endpoint.kind === 'task' && endpoint.withoutCapability !== undefined
      ? planned(endpoint.withoutCapability(call))
      : answer(missing);
  }
  if (endpoint.room === 'path' && !access.rooms.has(params['roomId'] as RoomId)) return answer(FORBIDDEN);
  if (endpoint.user === 'self' && params['userId'] !== access.grant.subject) return answer(FORBIDDEN);
  if (endpoint.kind === 'local') return answer(endpoint.respond(call));
  if (endpoint.kind === 'forward') return forward(endpoint, call);
  return endpoint.parameters === 'refused' && call.query.size > 0
    ? answer(NO_PARAMETERS)
    : planned(endpoint.plan(call));
}

/** What the scope lacks for an endpoint; null: nothing. Looks at no room and no user. */
export function missingFor(endpoint: ServingEndpoint, call: Call): GatewayResponse | null {
  if (endpoint.authorize !== undefined) return endpoint.authorize(call);
  const { scope } = call.access.grant;
  const can: readonly string[] = scope.can;
  if (endpoint.needs === 'holder' || can.includes(endpoint.needs)) return null;
  return endpoint.needs === 'read' ? missingToRead(endpoint, scope) : missingCapability(endpoint.needs);
}

/** For a scope that reads only some types, or none: an endpoint that does not say `byType` is closed to it. */
function missingToRead({ byType }: ServingEndpoint, scope: Scope): GatewayResponse | null {
  if (byType === undefined || !allows(scope, 'read')) return missingCapability('read');
  const missing =
    byType === 'filtered' ? undefined : byType.find((type) => !typeAllowed(scope, 'read', type));
  return missing === undefined ? null : missingCapability(`read:${missing}`);
}

function answer(response: GatewayResponse): Plan {
  return { kind: 'answer', response };
}

function planned(result: Task | GatewayResponse): Plan {
  return isResponse(result) ? answer(result) : { kind: 'task', task: result };
}

function forward(endpoint: ForwardEndpoint, call: Call): Plan {
  const { access, params } = call;
  const refused = endpoint.check?.(call) ?? null;
  if (refused !== null) return answer(refused);
  const user = endpoint.requiresSharedRoom === true ? parseUserId(params['userId'] ?? '') : null;
  if (endpoint.requiresSharedRoom === true && user === null) return answer(FORBIDDEN);
  const query: (readonly [string, string])[] =
    endpoint.forcedQuery === undefined ? [] : Object.entries(endpoint.forcedQuery);
  const defaults = endpoint.queryDefaults?.(call) ?? NOTHING;
  const rules = endpoint.query ?? NOTHING_RULED;
  for (const name in rules) {
    const value = call.query.get(name) ?? defaults[name];
    if (value === undefined) continue;
    const rebuilt = rules[name]?.(value, call) ?? null;
    if (rebuilt === null) return answer(invalid(name));
    if (typeof rebuilt !== 'string') return answer(rebuilt);
    query.push([name, rebuilt]);
  }
  return {
    kind: 'forward',
    endpoint,
    call,
    request: { method: 'GET', path: upstreamPath(endpoint, call), query },
    filter: endpoint.filter(call),
    sharedRoomWith: user === access.grant.subject ? null : user,
  };
}

/** `{me}` is ours to fill in, whatever the holder's parameters are called. */
function upstreamPath({ to }: ForwardEndpoint, { params, access }: Call): string {
  return pathOf(to, to.includes('{me}') ? { ...params, me: access.grant.subject } : params);
}

const NOTHING: Readonly<Record<string, string>> = {};
const NOTHING_RULED: NonNullable<ForwardEndpoint['query']> = {};
