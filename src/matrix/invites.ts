import { serverOf, type UserId } from '../domain/ids.ts';
import { HomeserverRefusal } from './homeserver-errors.ts';
import { path, stringAt, type HomeserverClient } from './homeserver.ts';

/** Synapse's words where `block_non_admin_invites` is set; the code it gives, M_FORBIDDEN, says nothing. */
const DISABLED = /invites have been disabled/i;

/** What to do where the homeserver lets only server administrators invite. */
export const INVITES_DISABLED_HINT =
  'Set block_non_admin_invites: false in homeserver.yaml and restart Synapse: the bot, which is no administrator, has to invite people in order to tell them anything.';

/** Whether the homeserver refused an invitation because only server administrators may invite. */
export function isInvitesDisabled(error: unknown): boolean {
  return (
    error instanceof HomeserverRefusal &&
    error.status === 403 &&
    DISABLED.test(stringAt(error.body, 'error') ?? '')
  );
}

/**
 * Whether the account may invite people at all. Asks to invite itself to a room that does not exist, so that nothing
 * changes whatever the answer.
 */
export async function mayInvite(homeserver: HomeserverClient, userId: UserId): Promise<boolean> {
  const nowhere = `!mintwarden-nowhere:${serverOf(userId)}`;
  try {
    await homeserver.request('POST', path`/rooms/${nowhere}/invite`, { body: { user_id: userId } });
    return true;
  } catch (error) {
    if (error instanceof HomeserverRefusal && error.code === 'homeserver-refused')
      return !isInvitesDisabled(error);
    throw error;
  }
}
