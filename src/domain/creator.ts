import { MintwardenError } from './errors.ts';
import { localpartOf, parseUserId, serverOf, type UserId } from './ids.ts';
import { covers, minimal, intersect } from './wildcard.ts';

/**
 * Who made a room: a whole user id, or the beginning of a localpart on one server, `@whatsapp_*:example.org`.
 */
export type CreatorPattern = `@${string}:${string}`;

/**
 * @throws MintwardenError `usage` for what is no user id, has its `*` elsewhere than at the localpart's end,
 *   or is nothing but a wildcard
 */
export function parseCreatorPattern(text: string, serverName: string): CreatorPattern {
  const whole = text.startsWith('@') && !text.includes(':') ? `${text}:${serverName}` : text;
  const at = whole.indexOf(':');
  const localpart = whole.slice(1, at === -1 ? undefined : at);
  const isWild = localpart.endsWith('*');
  const rest = isWild ? localpart.slice(0, -1) : localpart;
  if (parseUserId(whole) === null || rest === '' || rest.includes('*')) {
    throw new MintwardenError(
      'usage',
      `“${text.slice(0, 100)}” names nobody who makes rooms.`,
      'Write a user, `@whatsappbot`, or the beginning of a name, `@whatsapp_*`.',
    );
  }
  return whole as CreatorPattern;
}

/**
 * Whether the pattern has a wildcard: then it is worth what the server's registration of such names is worth.
 */
export function isWildCreator(pattern: CreatorPattern): boolean {
  return localpartOf(pattern as string as UserId).endsWith('*');
}

/** Whether this user is one the pattern means. The server must be the very same. */
export function creatorMatches(pattern: CreatorPattern, creator: UserId): boolean {
  return within(pattern, creator as string as CreatorPattern, isWildCreator(pattern));
}

function within(wider: CreatorPattern, narrower: CreatorPattern, isWild = isWildCreator(wider)): boolean {
  const [a, b] = [wider, narrower] as unknown as [UserId, UserId];
  if (serverOf(a) !== serverOf(b)) return false;
  return isWild ? covers(localpartOf(a), localpartOf(b)) : localpartOf(a) === localpartOf(b);
}

/** The same patterns in their one form. */
export function minimalCreators(patterns: readonly CreatorPattern[]): readonly CreatorPattern[] {
  return minimal(
    patterns,
    (a, b) => within(a, b),
    (pattern) => pattern,
  );
}

/** The creators that both lists mean. */
export function intersectCreators(
  a: readonly CreatorPattern[],
  b: readonly CreatorPattern[],
): readonly CreatorPattern[] {
  return minimalCreators(
    intersect(a, b, (one, other) => (within(one, other) ? other : within(other, one) ? one : null)),
  );
}
