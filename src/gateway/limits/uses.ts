import type { GrantId } from '../../domain/ids.ts';
import type { AccessControl } from '../../lifecycle/access/access-control.ts';

/** One request of a grant with a limited number of uses. */
export type Use = {
  /** Counts it. False: none is left. @throws MintwardenError where it could not be counted */
  count(): Promise<boolean>;
  /** The request is over, counted or not. */
  over(): void;
};

/** The use that one request makes. */
export function createUse(control: Pick<AccessControl, 'countUse' | 'finishUse'>, grantId: GrantId): Use {
  let isCounted = false;
  let isOver = false;
  // What goes wrong with it is told where grants are ended; the holder has their answer.
  const done = (): void => void control.finishUse(grantId).catch(() => undefined);
  return {
    async count() {
      const counted = await control.countUse(grantId);
      // The holder may have gone meanwhile.
      if (counted && isOver) done();
      else isCounted = counted;
      return counted;
    },
    over() {
      isOver = true;
      if (isCounted) done();
      isCounted = false;
    },
  };
}
