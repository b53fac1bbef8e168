import { globMatches } from './glob.ts';
import { serverOf, type UserId } from './ids.ts';
import { isObject } from './json.ts';

/** What comes of an invitation: `ignore` makes one that nobody sees. */
export type InvitePermission = 'allow' | 'block' | 'ignore';

/** User IDs are no longer (spec appendix, "User identifiers"); Synapse leaves longer patterns out. */
const MAX_PATTERN = 255;

/** In this order, users before servers, the first that matches counts (MSC4155). */
const LISTS = [
  ['allowed', 'allow'],
  ['ignored', 'ignore'],
  ['blocked', 'block'],
] as const;

/**
 * What a user's settings make of an invitation by the inviter: `m.invite_permission_config` (spec 1.18, MSC4380),
 * and where there is none, `org.matrix.msc4155.invite_permission_config`. A homeserver may not know the second,
 * but the user's client may: the settings count in any case. What is not well-formed forbids nothing.
 */
export function invitePermission(
  accountData: Readonly<Record<string, unknown>>,
  inviter: UserId,
): InvitePermission {
  const stable = accountData['m.invite_permission_config'];
  if (isObject(stable)) return stable['default_action'] === 'block' ? 'block' : 'allow';
  const lists = accountData['org.matrix.msc4155.invite_permission_config'];
  if (!isObject(lists)) return 'allow';
  for (const [of, name] of [
    ['users', inviter],
    ['servers', serverOf(inviter)],
  ] as const)
    for (const [list, permission] of LISTS) {
      const patterns: unknown = lists[`${list}_${of}`];
      if (Array.isArray(patterns) && patterns.some((pattern) => means(pattern, name))) return permission;
    }
  return 'allow';
}

function means(pattern: unknown, name: string): boolean {
  return (
    typeof pattern === 'string' &&
    pattern !== '' &&
    pattern.length <= MAX_PATTERN &&
    globMatches(pattern, name)
  );
}
