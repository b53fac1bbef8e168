import { MintwardenError } from '../../domain/errors.ts';
import { parseUserId, type UserId } from '../../domain/ids.ts';
import { parsePermalink } from './permalink.ts';

/**
 * A user as somebody named them: `@alice:server`, `@alice` (of this server), a matrix.to link or a `matrix:`
 * URI.
 * @throws MintwardenError `usage`
 */
export function parseUserReference(text: string, serverName: string): UserId {
  const typed = parsePermalink(text) ?? text;
  const whole = typed.startsWith('@') && !typed.includes(':') ? `${typed}:${serverName}` : typed;
  const userId = parseUserId(whole);
  if (userId !== null && userId.indexOf(':') > 1) return userId;
  const bare = parseUserId(`@${text}:${serverName}`);
  const next =
    bare !== null && /^[a-z0-9._=/+-]+$/i.test(text)
      ? `Write \`@${text}\` or \`${bare}\`.`
      : `Write for example \`@alice\` or \`@alice:${serverName}\`.`;
  throw new MintwardenError('usage', `“${text.slice(0, 100)}” is not a user.`, next);
}
