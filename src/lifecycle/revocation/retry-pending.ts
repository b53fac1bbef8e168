import { problemOf } from '../problem.ts';
import type { World } from '../services.ts';
import { endGrant } from './end-grant.ts';

/** Writes down the ends that could not be written before. Never throws. */
export async function retryRefused(world: World): Promise<void> {
  for (const [id, ending] of world.refused?.all() ?? []) {
    try {
      // The command was answered when it came: what is told now is a report.
      await endGrant(world, id, { ...ending, asked: 'nobody', command: null });
      world.refused?.delete(id);
      world.log.info('end of a grant recorded late', { grant: id });
    } catch (error) {
      world.log.debug('end of a grant not recorded yet', { grant: id, problem: problemOf(error) });
      return;
    }
  }
}
