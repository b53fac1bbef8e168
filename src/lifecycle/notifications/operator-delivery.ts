import type { Change } from '../../domain/change.ts';
import { MintwardenError } from '../../domain/errors.ts';
import { markDelivered, effectiveState, type Grant } from '../../domain/grant.ts';
import type { GrantId, Operator } from '../../domain/ids.ts';
import type { Message } from '../../domain/message.ts';
import { refuseDuringLockdown } from '../lockdown.ts';
import { grantAudit } from '../rows/audit-event.ts';
import { decideAndCommit, type Decision } from '../decide-and-commit.ts';
import { alreadyEnded } from '../revocation/revoke.ts';
import { problemOf } from '../problem.ts';
import { grantRow } from '../rows/sealed-row.ts';
import type { Services } from '../services.ts';
import { reviseMessage } from '../rows/message-row.ts';

/**
 * What stands in the row while the token is on its way into the file: what is not confirmed may have arrived.
 */
const UNDER_WAY =
  'it was given to the operator’s terminal, which has not confirmed yet that it is in the file.';

/** The rows that a delivery to an operator looks at. */
type Facts = { readonly grant: Grant; readonly token: Message; readonly notice: Message | null };

/** Grants whose token is on its way into a file just now: two who ask at once must not both have it. */
const underWay = new WeakMap<Services['ledger'], Set<GrantId>>();

/**
 * Gives a token to the operator it was made for, once its subject's notice was accepted. It counts as
 * delivered, and our sealed copy is erased, when `take` has resolved; where that throws, the token goes on
 * waiting, and its grant ends if nobody takes it in time.
 * @param take gets the token, a secret; resolves when it is kept where it should be
 * @returns the grant as it is then
 * @throws MintwardenError `not-allowed` (it is somebody else's, or all is held), `conflict` (over, suspended,
 *   taken before or just now),
 *   `subject-unreachable` where the notice was not accepted within `patienceMs`; and what `take` throws
 */
export async function deliverToOperator(
  services: Services,
  id: GrantId,
  by: Operator,
  take: (token: string) => Promise<void>,
  patienceMs: number,
): Promise<Grant> {
  checkTaker(await factsOf(services, id), by);
  await noticed(services, id, patienceMs);
  refuseDuringLockdown(services.lockdown);
  return alone(services, id, async () => {
    const sealed = await begin(services, id, by);
    try {
      await take(services.sealer.open(grantRow(id), sealed));
    } catch (error) {
      await note(services, id, problemOf(error));
      throw error;
    }
    return conclude(services, id);
  });
}

async function alone<T>({ ledger }: Services, id: GrantId, work: () => Promise<T>): Promise<T> {
  const ids = underWay.get(ledger) ?? new Set();
  underWay.set(ledger, ids);
  if (ids.has(id)) {
    throw new MintwardenError(
      'conflict',
      `The token of grant ${id} is being taken just now.`,
      `See what became of it: \`show ${id}\``,
    );
  }
  ids.add(id);
  try {
    return await work();
  } finally {
    ids.delete(id);
  }
}

async function factsOf(services: Services, id: GrantId): Promise<Facts> {
  const [grant, messages] = await Promise.all([services.ledger.grant(id), services.ledger.messages(id)]);
  const token = messages.find(({ body }) => body.kind === 'token');
  if (grant === null || token === undefined)
    throw new MintwardenError('conflict', `Grant ${id} has no token to hand over.`);
  return { grant, token, notice: messages.find((message) => message.id === token.after) ?? null };
}

/** Whether this token is this operator's to take. */
function checkTaker({ grant }: Facts, by: Operator): void {
  if (grant.recipient === by) return;
  throw new MintwardenError(
    'not-allowed',
    `The token of grant ${grant.id} is for ${grant.recipient.replace(/^operator:/, 'the operator ')}, and goes to nobody else.`,
    `To have one of your own: \`revoke ${grant.id}\`, then a new mint with --out FILE.`,
  );
}

/** Resolves when the subject's notice was accepted, or patience is at an end: `begin` looks what it is. */
async function noticed(services: Services, id: GrantId, patienceMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = services.ledger.onCommitted((change) => {
    const told =
      change.messages?.some(
        (row) => row.grantId === id && row.body.kind === 'notice' && row.state !== 'waiting',
      ) === true;
    const over = change.grants?.some((row) => row.id === id && row.state !== 'live') === true;
    if (told || over) resolve();
  });
  const timer = setTimeout(resolve, patienceMs);
  try {
    if ((await factsOf(services, id)).notice?.state !== 'waiting') return;
    await promise;
  } finally {
    clearTimeout(timer);
    stop();
  }
}

/** Looks at everything once more, writes down that the token is given away, and gives its sealed copy. */
async function begin(services: Services, id: GrantId, by: Operator): Promise<string> {
  const outcome = await decideAndCommit(services.ledger, async (): Promise<Decision<string>> => {
    const facts = await factsOf(services, id);
    checkTaker(facts, by);
    const now = services.clock.now();
    const sealed = takeable(facts, now);
    const message = reviseMessage(facts.token, {
      attempts: facts.token.attempts + 1,
      lastProblem: UNDER_WAY,
    });
    return { change: { at: now, messages: [message] }, value: sealed };
  });
  if (outcome.kind === 'done') return outcome.value;
  throw new MintwardenError('internal', 'An operator delivery is no command, and yet it was seen before.');
}

function takeable({ grant, token, notice }: Facts, now: number): string {
  const { id, subject } = grant;
  const stands = effectiveState(grant, now);
  if (stands === 'inactive') throw alreadyEnded(grant, now);
  if (stands === 'suspended')
    throw new MintwardenError(
      'conflict',
      `${subject} is locked, so the token of grant ${id} works for nobody.`,
      'Unlock the account first.',
    );
  if (grant.sealedToken === null || token.state !== 'waiting')
    throw new MintwardenError(
      'conflict',
      `The token of grant ${id} was taken before, and no copy of it is kept.`,
      `\`revoke ${id}\`, and mint again.`,
    );
  if (notice?.state === 'accepted') return grant.sealedToken;
  throw new MintwardenError(
    'subject-unreachable',
    `${subject} could not be told of grant ${id} yet, and the token is handed over only after that.`,
    `Take it later: \`mintwarden exec 'deliver ${id} --out FILE'\``,
  );
}

async function note(services: Services, id: GrantId, problem: string): Promise<void> {
  await decideAndCommit(services.ledger, async (): Promise<Decision<null>> => {
    const { token } = await factsOf(services, id);
    const change =
      token.state === 'waiting'
        ? { at: services.clock.now(), messages: [reviseMessage(token, { lastProblem: problem })] }
        : null;
    return { change, value: null };
  });
}

/**
 * It is in the file. Where the grant ended meanwhile, what is there is worth nothing; that it is there is
 * recorded nevertheless.
 */
async function conclude(services: Services, id: GrantId): Promise<Grant> {
  const outcome = await decideAndCommit(services.ledger, async (): Promise<Decision<Grant>> => {
    const facts = await factsOf(services, id);
    const change = decideTaken(facts, services.clock.now());
    return { change, value: change.grants?.[0] ?? facts.grant };
  });
  if (outcome.kind === 'done') return outcome.value;
  throw new MintwardenError('internal', 'An operator delivery is no command, and yet it was seen before.');
}

function decideTaken({ grant, token }: Facts, now: number): Change {
  const counts = effectiveState(grant, now) !== 'inactive' && token.state === 'waiting';
  const taken = reviseMessage(token, {
    state: 'accepted',
    acceptedAt: now,
    lastProblem: null,
    nextActionAt: null,
  });
  return {
    at: now,
    grants: grant.sealedToken === null ? [] : [markDelivered(grant)],
    messages: token.state === 'waiting' ? [taken] : [],
    audit: [
      grantAudit(grant, 'delivered', 'system', now, {
        recipient: grant.recipient,
        into: 'file',
        afterEnd: !counts,
      }),
    ],
  };
}
