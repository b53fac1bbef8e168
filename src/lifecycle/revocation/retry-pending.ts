import { problemOf } from '../problem.ts';
import type { Services } from '../services.ts';
import { endGrant } from './end-grant.ts';

/** Records the ends that could not be recorded before. Never throws. */
export async function retryPendingRevocations(services: Services): Promise<void> {
  for (const [id, ending] of services.pendingRevocations.all()) {
    try {
      // The command was answered when it came: what is told now is a report.
      await endGrant(services, id, { ...ending, asked: 'nobody', command: null });
      services.pendingRevocations.delete(id);
      services.log.info('end of a grant recorded late', { grant: id });
    } catch (error) {
      services.log.debug('end of a grant not recorded yet', { grant: id, problem: problemOf(error) });
      return;
    }
  }
}
