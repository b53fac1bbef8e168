import { MintwardenError } from '../../domain/errors.ts';
import type { Grant } from '../../domain/grant.ts';
import type { MessageId } from '../../domain/ids.ts';
import type { Message } from '../../domain/message.ts';
import { grantAudit } from '../rows/audit-event.ts';
import { backoffMs } from '../backoff.ts';
import { decideAndCommit, type Decision } from '../decide-and-commit.ts';
import { endAutomatically } from '../revocation/end-grant.ts';
import { abandonMessage, reviseMessage, destinationKey, newMessage } from '../rows/message-row.ts';
import { newIds } from '../rows/new-id.ts';
import { decideFailedTry } from './outbox-rows.ts';
import { problemOf } from '../problem.ts';
import { awaitsRedaction, redactToken } from './redact-token.ts';
import { sendToAdmin } from './send-to-admin.ts';
import { sendToControl } from './send-to-control.ts';
import { sendToSubject } from './send-to-subject.ts';
import { sendToken, type TokenTry } from './send-token.ts';
import { StaleRevision } from './try-message.ts';
import type { Services } from '../services.ts';

/** How long until a token that waits for its recipient is looked at again. */
const RECIPIENT_RETRY_MS = 30_000;
/** What was refused is tried again more slowly than what did not arrive. */
const REFUSED_RETRY_MS = 30_000;
/** What is refused again and again is tried ever more seldom. */
const PATIENT_AFTER = 60;
const PATIENT_RETRY_MS = 600_000;
/** After so many failures a message no longer holds up those behind it. */
const STUCK_AFTER = 8;

/** `later`: nothing else goes to that destination before this moment, so that the order is kept. */
export type ProcessResult = { readonly kind: 'done' } | { readonly kind: 'later'; readonly at: number };

const DONE: ProcessResult = { kind: 'done' };

/** Does what is due for a message: sends it, redacts it, or gives it up. Failures are written to the row. */
export async function processMessage(services: Services, id: MessageId): Promise<ProcessResult> {
  const message = await services.ledger.message(id);
  if (message === null || message.nextActionAt === null || services.clock.now() < message.nextActionAt)
    return DONE;
  try {
    if (awaitsRedaction(message)) {
      await redactToken(services, message);
      return DONE;
    }
    return message.state === 'waiting' ? await processWaiting(services, message) : DONE;
  } catch (error) {
    if (error instanceof StaleRevision) return DONE;
    return await failedTry(services, message, error);
  }
}

async function processWaiting(services: Services, message: Message): Promise<ProcessResult> {
  const grant = message.grantId === null ? null : await services.ledger.grant(message.grantId);
  const now = services.clock.now();
  if (message.giveUpAt !== null && now >= message.giveUpAt) {
    await giveUp(services, message, grant);
    return DONE;
  }
  const earlier = grant === null ? null : await earlierWaiting(services, message, grant);
  if (earlier !== null) {
    const behind = reviseMessage(message, { nextActionAt: Math.max(now + 1, earlier.nextActionAt ?? now) });
    await services.ledger.commit({ at: now, messages: [behind] });
    return DONE;
  }
  if (message.to.kind === 'operator') await untilTaken(services, message);
  else if (message.to.kind === 'control') await sendToControl(services, message, grant);
  else if (message.body.kind === 'trouble' && message.to.kind === 'dm')
    await sendToAdmin(services, message, message.to.userId);
  else if (grant === null) await abandon(services, message.id);
  else if (message.body.kind === 'token')
    return await noteTry(services, message, grant, await sendToken(services, message, grant));
  else if ((await sendToSubject(services, message, grant)) === 'gone')
    await nobodyToTell(services, message, grant);
  return DONE;
}

/** What an operator takes by hand is only given up, when nobody took it. */
async function untilTaken(services: Services, message: Message): Promise<void> {
  await services.ledger.commit({
    at: services.clock.now(),
    messages: [reviseMessage(message, { nextActionAt: message.giveUpAt })],
  });
}

/**
 * An older message of the same grant to the same place that is still on its way. A token waits for its
 * recipient and holds up nothing, nor does what has failed again and again.
 */
async function earlierWaiting(services: Services, message: Message, grant: Grant): Promise<Message | null> {
  const messages = await services.ledger.messages(grant.id);
  const before = messages.slice(
    0,
    messages.findIndex((other) => other.id === message.id),
  );
  const place = destinationKey(message.to);
  return (
    before.find(
      (other) =>
        other.state === 'waiting' &&
        other.body.kind !== 'token' &&
        other.attempts < STUCK_AFTER &&
        destinationKey(other.to) === place,
    ) ?? null
  );
}

async function noteTry(
  services: Services,
  message: Message,
  grant: Grant,
  tried: TokenTry,
): Promise<ProcessResult> {
  if (tried.kind === 'sent') return DONE;
  if (tried.kind === 'inactive') {
    await abandonIfOver(services, message, grant);
    return DONE;
  }
  await noteWaiting(services, message.id, grant, tried.why);
  return DONE;
}

/** The clock ended the grant before the reaper did: it is ended properly, and its message stopped with it. */
async function abandonIfOver(services: Services, message: Message, grant: Grant): Promise<void> {
  if (grant.state === 'live' && services.clock.now() >= grant.expiresAt)
    await endAutomatically(services, grant.id, 'expired');
  else await abandon(services, message.id);
}

/**
 * The token waits. The control room is told of each obstacle once; of a missing join the reply to the mint
 * has told.
 */
async function noteWaiting(
  services: Services,
  id: MessageId,
  grant: Grant,
  why: Extract<TokenTry, { kind: 'waiting' }>['why'],
): Promise<void> {
  await decideAndCommit(services.ledger, async (): Promise<Decision<null>> => {
    const [row, messages] = await Promise.all([
      services.ledger.message(id),
      services.ledger.messages(grant.id),
    ]);
    if (row === null || row.state !== 'waiting') return { change: null, value: null };
    const now = services.clock.now();
    const giveUpAt = row.giveUpAt ?? grant.expiresAt;
    const told = messages.some(
      ({ body }) =>
        (body.kind === 'delivery-waiting' && body.why === why) ||
        (body.kind === 'minted' && !body.recipientJoined && why === 'not-joined'),
    );
    const news =
      why === 'suspended' || told
        ? []
        : [
            newMessage({
              id: newIds(services.random).message(),
              grantId: grant.id,
              to: { kind: 'control', replyTo: null },
              body: { kind: 'delivery-waiting', why, giveUpAt },
              at: now,
            }),
          ];
    const nextActionAt = Math.max(now + 1, Math.min(now + RECIPIENT_RETRY_MS, giveUpAt));
    return {
      change: { at: now, messages: [reviseMessage(row, { lastProblem: why, nextActionAt }), ...news] },
      value: null,
    };
  });
}

async function giveUp(services: Services, message: Message, grant: Grant | null): Promise<void> {
  const cause =
    message.body.kind === 'notice' ? 'untold' : message.body.kind === 'token' ? 'undelivered' : null;
  if (cause !== null && grant !== null && grant.state === 'live') {
    await endAutomatically(services, grant.id, services.clock.now() >= grant.expiresAt ? 'expired' : cause);
    const row = await services.ledger.message(message.id);
    if (row?.state !== 'waiting' || (row.giveUpAt !== null && row.giveUpAt > services.clock.now())) return;
  }
  await abandon(services, message.id);
}

async function nobodyToTell(services: Services, message: Message, grant: Grant): Promise<void> {
  if (grant.state === 'live') await endAutomatically(services, grant.id, 'subject-gone');
  await abandon(services, message.id);
}

async function abandon(services: Services, id: MessageId): Promise<void> {
  await decideAndCommit(services.ledger, async (): Promise<Decision<null>> => {
    const row = await services.ledger.message(id);
    if (row === null || row.state !== 'waiting') return { change: null, value: null };
    const grant = row.grantId === null ? null : await services.ledger.grant(row.grantId);
    const now = services.clock.now();
    const audit =
      grant === null
        ? []
        : [
            grantAudit(grant, 'message-abandoned', 'system', now, {
              kind: row.body.kind,
              problem: row.lastProblem,
            }),
          ];
    return { change: { at: now, messages: [abandonMessage(row)], audit }, value: null };
  });
}

function refusedRetry(attempts: number, wait: number): number {
  return attempts < PATIENT_AFTER ? Math.max(wait, REFUSED_RETRY_MS) : PATIENT_RETRY_MS;
}

async function failedTry(services: Services, message: Message, error: unknown): Promise<ProcessResult> {
  const unreachable =
    error instanceof MintwardenError &&
    (error.code === 'homeserver-unreachable' || error.code === 'homeserver-invalid-response');
  services.log.warn('message not sent', {
    kind: message.body.kind,
    attempts: message.attempts + 1,
    problem: problemOf(error),
  });
  const outcome = await decideAndCommit(services.ledger, async (): Promise<Decision<Message | null>> => {
    const row = await services.ledger.message(message.id);
    if (row === null || row.nextActionAt === null || row.state !== message.state)
      return { change: null, value: null };
    const wait = backoffMs(row.attempts, services.random);
    const change = decideFailedTry(
      row,
      problemOf(error),
      unreachable ? wait : refusedRetry(row.attempts, wait),
      services.clock.now(),
    );
    return { change, value: change.messages?.[0] ?? null };
  });
  const at = outcome.kind === 'done' ? (outcome.value?.nextActionAt ?? null) : null;
  return at === null || !unreachable || message.body.kind === 'token' ? DONE : { kind: 'later', at };
}
