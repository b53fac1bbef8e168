import { MintwardenError } from '../../domain/errors.ts';
import type { Grant } from '../../domain/grant.ts';
import { isOperator, type GrantId, type MessageId, type UserId } from '../../domain/ids.ts';
import type { Message } from '../../domain/message.ts';
import { mintLine } from '../../words/command-line.ts';
import { decideAndCommit, type Decision } from '../decide-and-commit.ts';
import { reviseMessage } from '../rows/message-row.ts';
import { alreadyEnded } from '../revocation/revoke.ts';
import type { Services } from '../services.ts';

const PATIENCE_MS = 3_000;
const MANY = 100_000;

/**
 * How far a delivery is after it was tried again. `why` is a word of `WaitingFor` or a sentence; null: not
 * known yet.
 */
export type DeliveryState = { readonly delivery: 'sent' | 'waiting'; readonly why: string | null };

/**
 * Tries at once to deliver a token that waits, and says what came of it within a few seconds.
 * @throws MintwardenError `conflict` where the grant is over, or its token was delivered and so cannot be
 *   again
 */
export async function deliver(
  services: Services,
  grant: Grant,
  patienceMs = PATIENCE_MS,
): Promise<DeliveryState> {
  const row = await services.ledger.grant(grant.id);
  if (row === null || (row.state !== 'live' && row.state !== 'minting'))
    throw alreadyEnded(row ?? grant, services.clock.now());
  if (row.delivery !== 'waiting') throw deliveredBefore(row);
  if (isOperator(row.recipient)) throw byHand(row);
  const nudged = await nudge(services, row.id);
  if (nudged !== null) await nextChange(services, nudged, patienceMs);
  const after = await services.ledger.grant(row.id);
  const token = await tokenMessage(services, row.id);
  if (after?.delivery === 'sent') return { delivery: 'sent', why: null };
  return { delivery: 'waiting', why: token?.lastProblem ?? null };
}

function byHand({ id }: Grant): MintwardenError {
  return new MintwardenError(
    'conflict',
    `The token of grant ${id} waits to be taken by the operator who made it, and is sent to nobody.`,
    `They take it at the machine: \`mintwarden exec 'deliver ${id} --out FILE'\``,
  );
}

function deliveredBefore(grant: Grant): MintwardenError {
  const again = mintLine(grant);
  return new MintwardenError(
    'conflict',
    `The token of grant ${grant.id} was delivered to ${grant.recipient}, and no copy of it is kept.`,
    again === null
      ? `To replace it: !revoke ${grant.id}, then a new !mint.`
      : `To replace it, send these two lines: !revoke ${grant.id} and ${again}`,
  );
}

/** Someone joined: tokens that wait for them are tried at once. Never throws for one of several. */
export async function deliverWaitingTo(services: Services, recipient: UserId): Promise<void> {
  const live = await services.ledger.grants({ states: ['live'], limit: MANY });
  for (const grant of live) {
    if (grant.recipient === recipient && grant.delivery === 'waiting') await nudge(services, grant.id);
  }
}

async function tokenMessage(services: Services, id: GrantId): Promise<Message | null> {
  const messages = await services.ledger.messages(id);
  return messages.find((message) => message.body.kind === 'token') ?? null;
}

/** Makes the token's message, and the notice it waits for, due now. Null where there is none to try. */
async function nudge(services: Services, id: GrantId): Promise<Message | null> {
  const outcome = await decideAndCommit(services.ledger, async (): Promise<Decision<Message | null>> => {
    const waiting = (await services.ledger.messages(id)).filter(
      ({ body, state }) => state === 'waiting' && (body.kind === 'token' || body.kind === 'notice'),
    );
    const now = services.clock.now();
    const rows = waiting
      .filter((row) => row.nextActionAt === null || row.nextActionAt > now)
      .map((row) => reviseMessage(row, { nextActionAt: now }));
    const token = [...rows, ...waiting].find(({ body }) => body.kind === 'token') ?? null;
    return { change: rows.length === 0 ? null : { at: now, messages: rows }, value: token };
  });
  return outcome.kind === 'done' ? outcome.value : null;
}

/** Resolves when an attempt at the message has ended (its row shows it), or patience has. */
async function nextChange(services: Services, nudged: Message, patienceMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const isOver = (id: MessageId, row: Message) =>
    row.id === id && (row.state !== 'waiting' || (row.nextActionAt ?? 0) > (nudged.nextActionAt ?? 0));
  const stop = services.ledger.onCommitted((change) => {
    if (change.messages?.some((row) => isOver(nudged.id, row)) === true) resolve();
  });
  const timer = setTimeout(resolve, patienceMs);
  const row = await services.ledger.message(nudged.id);
  if (row !== null && isOver(nudged.id, row)) resolve();
  await promise;
  clearTimeout(timer);
  stop();
}
