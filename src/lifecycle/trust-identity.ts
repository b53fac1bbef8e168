import { MintwardenError } from '../domain/errors.ts';
import type { Actor, UserId } from '../domain/ids.ts';
import { decideAndCommit, type Decision } from './decide-and-commit.ts';
import { newMessage } from './rows/message-row.ts';
import { newIds } from './rows/new-id.ts';
import type { Services } from './services.ts';

/**
 * Takes another master key for a user's own, at an operator's word: the pin, its audit and the news to the
 * control room in one change. It counts for commands and deliveries from then on; what waits for it is tried
 * again.
 * @returns the key that was pinned before; null where none was
 * @throws MintwardenError `conflict` where this key is pinned already
 */
export async function trustIdentity(
  services: Pick<Services, 'ledger' | 'clock' | 'random'>,
  request: { readonly userId: UserId; readonly masterKey: string; readonly by: Actor },
): Promise<string | null> {
  const { userId, masterKey, by } = request;
  const outcome = await decideAndCommit(services.ledger, async (): Promise<Decision<string | null>> => {
    const before = (await services.ledger.pin(userId))?.masterKey ?? null;
    if (before === masterKey) {
      throw new MintwardenError(
        'conflict',
        `That identity of ${userId} is the one that counts already.`,
        null,
      );
    }
    const at = services.clock.now();
    const news = newMessage({
      id: newIds(services.random).message(),
      grantId: null,
      to: { kind: 'control', replyTo: null },
      body: { kind: 'identity-trusted', userId, masterKey, by },
      at,
    });
    const data = { user: userId, masterKey, before };
    const audit = {
      at,
      actor: by,
      action: 'identity-pinned',
      grantId: null,
      subject: userId,
      command: null,
      data,
    } as const;
    return {
      change: { at, repins: [{ pin: { userId, masterKey, at }, before }], messages: [news], audit: [audit] },
      value: before,
    };
  });
  return outcome.kind === 'done' ? outcome.value : null;
}
