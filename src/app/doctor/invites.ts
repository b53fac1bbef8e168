import type { Config } from '../../config/index.ts';
import { createHomeserverClient } from '../../matrix/homeserver.ts';
import { INVITES_DISABLED_HINT, mayInvite } from '../../matrix/invites.ts';
import { fail, type Finding, ok } from './finding.ts';

/** Whether the bot may invite people to its DMs. */
export async function checkInvites(config: Config): Promise<readonly Finding[]> {
  const id = 'bot-invites';
  const { user_id: userId, access_token: accessToken } = config.bot;
  const homeserver = createHomeserverClient({ homeserverUrl: config.homeserver.url, accessToken });
  return (await mayInvite(homeserver, userId))
    ? [ok(id, `${userId} may invite people.`)]
    : [
        fail(id, 'Only server administrators may invite people on this homeserver.', {
          fix: INVITES_DISABLED_HINT,
        }),
      ];
}
