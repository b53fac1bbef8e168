import { MintwardenError } from '../../domain/errors.ts';
import type { Grant } from '../../domain/grant.ts';
import type { MessageId } from '../../domain/ids.ts';
import type { Message } from '../../domain/message.ts';
import { auditOf } from '../audit-event.ts';
import { backoffMs } from '../backoff.ts';
import { decideAndCommit, type Decision } from '../decide-and-commit.ts';
import { endUnasked } from '../revocation/end-grant.ts';
import { abandoned, changed, destinationKey, newMessage } from './message-row.ts';
import { newIds } from '../new-id.ts';
import { decideFailedTry } from './outbox-rows.ts';
import { problemOf } from '../problem.ts';
import { awaitsRedaction, redactToken } from './redact-token.ts';
import { sendToAdmin } from './send-to-admin.ts';
import { sendToControl } from './send-to-control.ts';
import { sendToSubject } from './send-to-subject.ts';
import { sendToken, type TokenTry } from './send-token.ts';
import { Overtaken } from './try-message.ts';
import type { World } from '../services.ts';

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
export type Tended = { readonly kind: 'done' } | { readonly kind: 'later'; readonly at: number };

const DONE: Tended = { kind: 'done' };

/** Does what is due for a message: sends it, redacts it, or gives it up. Failures are written to the row. */
export async function tendMessage(world: World, id: MessageId): Promise<Tended> {
  const message = await world.ledger.message(id);
  if (message === null || message.nextActionAt === null || world.clock.now() < message.nextActionAt)
    return DONE;
  try {
    if (awaitsRedaction(message)) {
      await redactToken(world, message);
      return DONE;
    }
    return message.state === 'waiting' ? await tendWaiting(world, message) : DONE;
  } catch (error) {
    if (error instanceof Overtaken) return DONE;
    return await failedTry(world, message, error);
  }
}

async function tendWaiting(world: World, message: Message): Promise<Tended> {
  const grant = message.grantId === null ? null : await world.ledger.grant(message.grantId);
  const now = world.clock.now();
  if (message.giveUpAt !== null && now >= message.giveUpAt) {
    await giveUp(world, message, grant);
    return DONE;
  }
  const earlier = grant === null ? null : await earlierWaiting(world, message, grant);
  if (earlier !== null) {
    const behind = changed(message, { nextActionAt: Math.max(now + 1, earlier.nextActionAt ?? now) });
    await world.ledger.commit({ at: now, messages: [behind] });
    return DONE;
  }
  if (message.to.kind === 'operator') await untilTaken(world, message);
  else if (message.to.kind === 'control') await sendToControl(world, message, grant);
  else if (message.body.kind === 'trouble' && message.to.kind === 'dm')
    await sendToAdmin(world, message, message.to.userId);
  else if (grant === null) await abandon(world, message.id);
  else if (message.body.kind === 'token')
    return await noteTry(world, message, grant, await sendToken(world, message, grant));
  else if ((await sendToSubject(world, message, grant)) === 'gone') await nobodyToTell(world, message, grant);
  return DONE;
}

/** What an operator takes by hand is only given up, when nobody took it. */
async function untilTaken(world: World, message: Message): Promise<void> {
  await world.ledger.commit({
    at: world.clock.now(),
    messages: [changed(message, { nextActionAt: message.giveUpAt })],
  });
}

/**
 * An older message of the same grant to the same place that is still on its way. A token waits for its
 * recipient and holds up nothing, nor does what has failed again and again.
 */
async function earlierWaiting(world: World, message: Message, grant: Grant): Promise<Message | null> {
  const messages = await world.ledger.messages(grant.id);
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

async function noteTry(world: World, message: Message, grant: Grant, tried: TokenTry): Promise<Tended> {
  if (tried.kind === 'sent') return DONE;
  if (tried.kind === 'over') {
    await abandonIfOver(world, message, grant);
    return DONE;
  }
  await noteWaiting(world, message.id, grant, tried.why);
  return DONE;
}

/** The clock ended the grant before the reaper did: it is ended properly, and its message stopped with it. */
async function abandonIfOver(world: World, message: Message, grant: Grant): Promise<void> {
  if (grant.state === 'live' && world.clock.now() >= grant.expiresAt)
    await endUnasked(world, grant.id, 'expired');
  else await abandon(world, message.id);
}

/**
 * The token waits. The control room is told of each obstacle once; of a missing join the reply to the mint
 * has told.
 */
async function noteWaiting(
  world: World,
  id: MessageId,
  grant: Grant,
  why: Extract<TokenTry, { kind: 'waiting' }>['why'],
): Promise<void> {
  await decideAndCommit(world.ledger, async (): Promise<Decision<null>> => {
    const [row, messages] = await Promise.all([world.ledger.message(id), world.ledger.messages(grant.id)]);
    if (row === null || row.state !== 'waiting') return { change: null, value: null };
    const now = world.clock.now();
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
              id: newIds(world.random).message(),
              grantId: grant.id,
              to: { kind: 'control', replyTo: null },
              body: { kind: 'delivery-waiting', why, giveUpAt },
              at: now,
            }),
          ];
    const nextActionAt = Math.max(now + 1, Math.min(now + RECIPIENT_RETRY_MS, giveUpAt));
    return {
      change: { at: now, messages: [changed(row, { lastProblem: why, nextActionAt }), ...news] },
      value: null,
    };
  });
}

async function giveUp(world: World, message: Message, grant: Grant | null): Promise<void> {
  const cause =
    message.body.kind === 'notice' ? 'untold' : message.body.kind === 'token' ? 'undelivered' : null;
  if (cause !== null && grant !== null && grant.state === 'live') {
    await endUnasked(world, grant.id, world.clock.now() >= grant.expiresAt ? 'expired' : cause);
    const row = await world.ledger.message(message.id);
    if (row?.state !== 'waiting' || (row.giveUpAt !== null && row.giveUpAt > world.clock.now())) return;
  }
  await abandon(world, message.id);
}

async function nobodyToTell(world: World, message: Message, grant: Grant): Promise<void> {
  if (grant.state === 'live') await endUnasked(world, grant.id, 'subject-gone');
  await abandon(world, message.id);
}

async function abandon(world: World, id: MessageId): Promise<void> {
  await decideAndCommit(world.ledger, async (): Promise<Decision<null>> => {
    const row = await world.ledger.message(id);
    if (row === null || row.state !== 'waiting') return { change: null, value: null };
    const grant = row.grantId === null ? null : await world.ledger.grant(row.grantId);
    const now = world.clock.now();
    const audit =
      grant === null
        ? []
        : [
            auditOf(grant, 'message-abandoned', 'system', now, {
              kind: row.body.kind,
              problem: row.lastProblem,
            }),
          ];
    return { change: { at: now, messages: [abandoned(row)], audit }, value: null };
  });
}

function refusedRetry(attempts: number, wait: number): number {
  return attempts < PATIENT_AFTER ? Math.max(wait, REFUSED_RETRY_MS) : PATIENT_RETRY_MS;
}

async function failedTry(world: World, message: Message, error: unknown): Promise<Tended> {
  const unreachable =
    error instanceof MintwardenError &&
    (error.code === 'homeserver-unreachable' || error.code === 'homeserver-nonsense');
  world.log.warn('message not sent', {
    kind: message.body.kind,
    attempts: message.attempts + 1,
    problem: problemOf(error),
  });
  const outcome = await decideAndCommit(world.ledger, async (): Promise<Decision<Message | null>> => {
    const row = await world.ledger.message(message.id);
    if (row === null || row.nextActionAt === null || row.state !== message.state)
      return { change: null, value: null };
    const wait = backoffMs(row.attempts, world.random);
    const change = decideFailedTry(
      row,
      problemOf(error),
      unreachable ? wait : refusedRetry(row.attempts, wait),
      world.clock.now(),
    );
    return { change, value: change.messages?.[0] ?? null };
  });
  const at = outcome.kind === 'done' ? (outcome.value?.nextActionAt ?? null) : null;
  return at === null || !unreachable || message.body.kind === 'token' ? DONE : { kind: 'later', at };
}
