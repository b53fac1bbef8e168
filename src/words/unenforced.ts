import type { Unenforced } from '../domain/enforced.ts';
import type { ScopeFeature } from '../domain/enforced.ts';

/** The flag that asks for a part of a scope. */
const FLAGS: Record<ScopeFeature, string> = {
  by: '--rooms-by',
  types: '--types',
  power: '--power',
  rules: '--allow or --deny',
  from: '--from',
  uses: '--uses',
  followUpgrades: '--follow-upgrades',
};

function nameOf(each: Unenforced): string {
  return each.kind === 'feature' ? FLAGS[each.feature] : `--can ${each.permission}`;
}

/** `--power is not enforced by this version's gateway, so it is not granted.` */
export function unenforcedSentence(parts: readonly Unenforced[]): string {
  const names = parts.map(nameOf);
  const shown = names.slice(0, 10);
  if (names.length > shown.length) shown.push(`${names.length - shown.length} more`);
  const last = shown.pop() ?? '';
  if (shown.length === 0) return `${last} is not enforced by this version's gateway, so it is not granted.`;
  return `${shown.join(', ')} and ${last} are not enforced by this version's gateway, so they are not granted.`;
}
