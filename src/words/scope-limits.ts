import type { EndpointRule } from '../domain/endpoint-rule.ts';
import type { ScopeLimits } from '../domain/scope.ts';
import { line } from './build.ts';
import type { Line } from './document.ts';
import { safeInline } from './safe-text.ts';
import { listed } from './scope-rooms.ts';

function ruleWords(rules: readonly EndpointRule[]): Line {
  const each = rules.slice(0, 20).map(({ verdict, on }): Line => [`${verdict} ${safeInline(on)}`]);
  if (rules.length > each.length) each.push([`${rules.length - each.length} more`]);
  const rest = rules.some((rule) => rule.verdict === 'allow') ? 'deny all else' : 'let all else be';
  return line`endpoints, the first that fits counts: ${[...each, [rest]].flatMap((words, index): Line => (index === 0 ? words : [', ', ...words]))}`;
}

/**
 * What narrows a scope besides rooms and capabilities, a part each: `acts with a power level of at most 50`.
 */
export function limitWords(limits: ScopeLimits): readonly Line[] {
  const { types, power, rules, from, uses, followUpgrades } = limits;
  const words = (items: readonly string[], last: string): Line =>
    items.length === 0
      ? ['nothing']
      : listed(
          items.map((each) => [safeInline(each)]),
          last,
        );
  return [
    ...(types === undefined
      ? []
      : [line`of what it sends, ${types.length === 0 ? '' : 'only '}${words(types, 'and')}`]),
    ...(power === undefined ? [] : [[`acts with a power level of at most ${power}`]]),
    ...(rules ?? []).map(ruleWords),
    ...(from === undefined
      ? []
      : [from.length === 0 ? ['from nowhere'] : line`only from ${words(from, 'or')}`]),
    ...(uses === undefined ? [] : [[uses === 1 ? 'for 1 request' : `for at most ${uses} requests`]]),
    ...(followUpgrades === true ? [['follows a room to the one that replaces it']] : []),
  ];
}
