import { welcomeReason } from '../../words/invite.ts';
import { excludeRoom } from '../exclude-room.ts';
import { problemOf } from '../problem.ts';
import type { Services } from '../services.ts';

/**
 * Opens the first admin's DM where there is none yet, so that the first token does not have to wait for them
 * to accept an invitation. Never throws: the first mint opens it otherwise.
 */
export async function inviteFirstAdmin(services: Services): Promise<void> {
  const [admin] = services.policy().admins;
  if (admin === undefined) return;
  try {
    if ((await services.chat.dm(admin)) !== null) return;
    const dm = await services.chat.openDm(admin, { reason: welcomeReason(), encrypted: true });
    await excludeRoom(services, { roomId: dm.roomId, why: 'dm', userId: admin });
  } catch (error) {
    services.log.warn('first admin’s chat not opened', { problem: problemOf(error) });
  }
}
