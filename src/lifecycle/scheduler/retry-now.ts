import { reviseLease } from '../rows/lease-row.ts';
import { reviseMessage } from '../rows/message-row.ts';
import type { Services } from '../services.ts';

/** No back-off for what did not arrive is longer; see `backoffMs`. */
const AHEAD_MS = 61_000;
const MANY = 1_000;

/**
 * Makes due what waits only because a try failed a moment ago: kills and messages. What waits for a person,
 * or for its time, is left alone.
 */
export async function makeRetriesDue(services: Services): Promise<void> {
  const now = services.clock.now();
  const soon = await services.ledger.due(now + AHEAD_MS, MANY);
  const leases = soon.leases.filter(
    (lease) => lease.state === 'killing' && lease.attempts > 0 && isLater(lease, now),
  );
  const messages = soon.messages.filter(
    (message) => message.attempts > 0 && message.body.kind !== 'token' && isLater(message, now),
  );
  // Each by itself: one that somebody else has changed meanwhile must not hold back the rest.
  for (const lease of leases)
    await services.ledger.commit({ at: now, leases: [reviseLease(lease, { nextActionAt: now })] });
  for (const message of messages)
    await services.ledger.commit({ at: now, messages: [reviseMessage(message, { nextActionAt: now })] });
}

function isLater({ nextActionAt }: { readonly nextActionAt: number | null }, now: number): boolean {
  return nextActionAt !== null && nextActionAt > now;
}
