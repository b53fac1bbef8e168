import type { Scope } from '../../domain/scope.ts';
import type { OperationName } from '../../domain/endpoint-rule.ts';
import { ruleVerdict } from '../../domain/scope-checks.ts';
import {
  FORBIDDEN,
  type GatewayResponse,
  missingCapability,
  REFUSED_BY_RULES,
  UNRECOGNIZED,
} from '../http/response.ts';
import type { Target } from '../http/target.ts';
import type { Decision } from '../request/context.ts';
import { requireAccess } from '../request/access.ts';
import { isTask, type RefusedEndpoint } from '../request/endpoint.ts';
import { type Form, type Route, unrouted } from '../request/router.ts';
import type { GatewayServices } from '../request/services.ts';

/** Whether this token is served the operation at all: asked before anything more of the request is read. */
export function checkEndpoint(
  decision: Decision,
  { router }: Pick<GatewayServices, 'router'>,
): GatewayResponse | undefined {
  const { method, target, route } = decision;
  const access = requireAccess(decision);
  if (route === null || target === null) return unrouted(router, target?.segments ?? []);
  const { endpoint } = route;
  if (isRefusedByRules(access.grant.scope, method, target, route)) return REFUSED_BY_RULES;
  if (endpoint.kind === 'refused') return refusalOf(endpoint);
  if (endpoint.kind === 'static' || endpoint.kind === 'public') return FORBIDDEN;
  return endpoint.device === true && access.device !== true ? UNRECOGNIZED : undefined;
}

/** The response of an endpoint that refuses every token. */
export function refusalOf({ unserved, needs }: RefusedEndpoint): GatewayResponse {
  if (unserved === true) return UNRECOGNIZED;
  return needs === 'never' ? FORBIDDEN : missingCapability(needs);
}

/** Whether the scope’s endpoint rules refuse it. A rule for one name of an operation is for all its names. */
export function isRefusedByRules(
  scope: Scope,
  method: string,
  target: Target,
  { endpoint, params, forms }: Route,
): boolean {
  if (scope.rules === undefined || isTask(endpoint, 'token')) return false;
  // As it was understood, encoded again: one spelling, whatever the holder's was.
  const path = target.segments.map(({ text }) => `/${encodeURIComponent(text)}`).join('');
  const others = forms.flatMap((form) => namesOf(form, method, params));
  return ruleVerdict(scope, method, path, others) !== 'allow';
}

/** Parts of a path that say nothing of what is done. */
const INCIDENTAL = ['txnId', 'fileName', 'userId'];

/** The names of the same operation in another form; none where that form could not say what the request says. */
function namesOf({ methods, path }: Form, method: string, params: Route['params']): readonly OperationName[] {
  const says = (name: string): boolean => path.includes(`{${name}}`) || INCIDENTAL.includes(name);
  if (Object.entries(params).some(([name, value]) => value !== '' && !says(name))) return [];
  const filled = filledIn(path, params);
  return (methods === 'any' ? [method] : methods).map((one) => ({ method: one, path: filled }));
}

/** Another path with the same parameters. One that the request did not have is empty, as the operation takes it. */
function filledIn(pattern: string, params: Route['params']): string {
  const path = pattern.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
  // Rules forgive one slash at the end; the empty parameter there is a segment.
  return path.endsWith('/') && pattern.endsWith('}') ? `${path}/` : path;
}
