import type { Incidents } from '../../lifecycle/incidents/incidents.ts';
import { createReserve } from './reserve.ts';

/** The disk of the state folder. */
export type DiskMonitor = {
  /** Something could not be written: the reserve is given up. */
  readonly reportFailure: (sentence: string) => void;
  /** Ends the trouble where there is room again; begins it where there is hardly any. */
  readonly check: () => Promise<void>;
};

const NEXT =
  'Free some space on the disk of the state folder, or look at what else is wrong with it; it goes on by itself.';

/** Keeps a reserve in the folder, and says when it is needed. */
export function createDiskMonitor(folder: string, incidents: Incidents): DiskMonitor {
  const reserve = createReserve(folder);
  return {
    reportFailure: (sentence) => {
      reserve.release();
      incidents.open(
        'disk',
        `${sentence} Nothing is minted until that is fixed; ending grants is still attempted.`,
        NEXT,
      );
    },
    check: async () => {
      if (reserve.restore()) incidents.resolve('disk');
      else if (!incidents.has('disk'))
        incidents.open(
          'disk',
          'There is hardly any room left on the disk of the state folder. Nothing is minted until there is.',
          NEXT,
        );
    },
  };
}
