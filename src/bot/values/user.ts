import { MintwardenError } from '../../domain/errors.ts';
import { parseUserId, type UserId } from '../../domain/ids.ts';
import { parsePermalink } from './permalink.ts';

/**
 * A user as somebody named them: `@alice:server`, `@alice` (of this server) or a link (`parsePermalink`). Null
 * where it is none.
 */
export function readUser(text: string, serverName: string): UserId | null {
  const typed = parsePermalink(text) ?? text;
  const whole = typed.startsWith('@') && !typed.includes(':') ? `${typed}:${serverName}` : typed;
  const userId = parseUserId(whole);
  return userId !== null && userId.indexOf(':') > 1 ? userId : null;
}

/** @throws MintwardenError `usage` for what is no user */
export function parseUserReference(text: string, serverName: string): UserId {
  const userId = readUser(text, serverName);
  if (userId !== null) return userId;
  const bare = parseUserId(`@${text}:${serverName}`);
  const next =
    bare !== null && /^[a-z0-9._=/+-]+$/i.test(text)
      ? `Write \`@${text}\` or \`${bare}\`.`
      : `Write for example \`@alice\` or \`@alice:${serverName}\`.`;
  throw new MintwardenError('usage', `“${text.slice(0, 100)}” is not a user.`, next);
}
