import { partsOf } from '../domain/allowance.ts';
import type { Access } from '../lifecycle/access/access-control.ts';
import { isServedTo, type JudgedLine, lackingFor } from './guard.ts';

/** Types that have capabilities, or rules, of their own. */
const PROBES = ['m.room.message', 'm.reaction', 'm.room.encrypted', 'm.room.topic', 'm.tag', 'org.example.any'];

/**
 * Whether a line is open to a token at all: for some type and key, some room. The lines' own rules are
 * asked, with the types the scope names and a few that matter, so that nothing is said twice.
 */
export function opens(line: JudgedLine, access: Access, now: number): boolean {
  if (!isServedTo(line, access)) return false;
  const { can, types = [] } = access.grant.scope;
  const named = can.map(partsOf);
  const probes = [...PROBES, ...types, ...named.flatMap(({ type }) => (type === null ? [] : [type]))].map(withoutWildcard);
  const keys = ['', access.grant.subject, ...named.flatMap(({ key }) => (key === null ? [] : [withoutWildcard(key)]))];
  return probes.some((type) =>
    keys.some((stateKey) => {
      const params = { eventType: type, type, stateKey, userId: access.grant.subject };
      return lackingFor(line, { params, query: new Map(), body: undefined, access, now }) === null;
    }),
  );
}

/** A word that the pattern means. */
function withoutWildcard(pattern: string): string {
  return pattern.endsWith('*') ? `${pattern.slice(0, -1)}x` : pattern;
}
