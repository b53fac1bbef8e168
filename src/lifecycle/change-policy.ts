import type { Actor } from '../domain/ids.ts';
import type { SettingChange } from '../domain/message.ts';
import { newIds } from './rows/new-id.ts';
import { newMessage } from './rows/message-row.ts';
import type { Services } from './services.ts';

/**
 * Writes down that policy changes and by whom, with the news to the control room, in one change. To be done
 * before the new policy counts: where it cannot be written, nothing changes.
 * @throws MintwardenError `state` | `disk`
 */
export async function recordPolicyChange(
  services: Pick<Services, 'ledger' | 'clock' | 'random'>,
  changes: readonly SettingChange[],
  by: Actor,
): Promise<void> {
  const at = services.clock.now();
  const news = newMessage({
    id: newIds(services.random).message(),
    grantId: null,
    to: { kind: 'control', replyTo: null },
    body: { kind: 'policy-changed', changes, by },
    at,
  });
  const data = Object.fromEntries(changes.map(({ key, before, after }) => [key, [before, after]]));
  const audit = {
    at,
    actor: by,
    action: 'policy-changed',
    grantId: null,
    subject: null,
    command: null,
    data,
  } as const;
  await services.ledger.commit({ at, messages: [news], audit: [audit] });
}
