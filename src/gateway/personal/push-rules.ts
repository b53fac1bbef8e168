import { type GatewayResponse, isResponse, NOT_FOUND, ok } from '../http/response.ts';
import type { AskResult } from '../http/response.ts';
import type { MultiStep, Tools } from '../upstream/tools.ts';
import type { Call } from '../http/call.ts';
import { RULE_KINDS, filterPushRules } from '../filters/push-rules.ts';
import { type JsonObject, requireObject } from '../filters/json-shape.ts';
import { holds, readViewOf } from '../filters/read-view.ts';

const ALL = '/_matrix/client/v3/pushrules/';
const NO_RULES = { override: [], content: [], room: [], sender: [], underride: [] };
type Rules = ReturnType<typeof filterPushRules>;

/**
 * Reads a request for all rules. Without the capability there are none: some clients do not start without the
 * five lists.
 */
export function pushRulesSteps(
  show: (rules: Rules) => JsonObject,
): (call: Call) => MultiStep | GatewayResponse {
  return (call) => {
    if (!holds(call.access.grant.scope, 'push-rules')) return ok(show(NO_RULES));
    return async (tools) => {
      const rules = await rulesNow(tools, call);
      return isResponse(rules) ? rules : ok(show(rules.shown));
    };
  };
}

/**
 * Reads a request for one rule, or a part of it. All are asked for, and it is looked for among those that may
 * be seen.
 */
export function pushRuleSteps(
  show: (rule: JsonObject) => JsonObject,
): (call: Call) => MultiStep | GatewayResponse {
  return (call) => {
    const kind = RULE_KINDS.find((one) => one === call.params['kind']);
    if (kind === undefined) return NOT_FOUND;
    return async (tools) => {
      const rules = await rulesNow(tools, call);
      if (isResponse(rules)) return rules;
      const rule = rules.shown[kind].find(({ rule_id: id }) => id === call.params['ruleId']);
      return rule === undefined ? NOT_FOUND : ok(show(rule));
    };
  };
}

async function rulesNow(
  tools: Tools,
  { access }: Call,
): Promise<{ readonly shown: Rules } | GatewayResponse> {
  const asked: AskResult = await tools.ask({ method: 'GET', path: ALL, query: [] }, false);
  if (isResponse(asked)) return asked;
  const global = requireObject(asked.got, 'push rules')['global'];
  return { shown: filterPushRules(global, await tools.roomsInScope([]), readViewOf(access)) };
}
