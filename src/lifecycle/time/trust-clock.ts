import { MintwardenError } from '../../domain/errors.ts';
import type { Actor } from '../../domain/ids.ts';
import type { AnchorStore } from '../../ports/anchors.ts';
import { historyAudit, historyMessage } from '../rows/history-row.ts';
import type { Services } from '../services.ts';

/**
 * Takes the clock for right, whatever was seen before, at an operator's word. Where that sets time back,
 * tokens live longer: so it is written down, and told to the control room, before it counts.
 * @throws MintwardenError `state`
 */
export async function trustClock(
  {
    ledger,
    clock,
    random,
    store,
  }: Pick<Services, 'ledger' | 'clock' | 'random'> & {
    readonly store: Pick<AnchorStore, 'latestSeen' | 'recordSeen'>;
  },
  by: Actor,
): Promise<void> {
  const at = clock.now();
  const before = await store.latestSeen();
  const news = historyMessage({ what: 'clock-trusted', by, before, at }, at, random);
  const committed = await ledger.commit({
    at,
    messages: [news],
    audit: [historyAudit('clock-trusted', by, at, { before })],
  });
  if (committed !== 'committed')
    throw new MintwardenError('state', 'The ledger did not take it.', 'Run it again.');
  await store.recordSeen(at, 'overwrite');
}
