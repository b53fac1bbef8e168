import { formatDuration, speakDuration } from '../../domain/duration.ts';
import { ENFORCED } from '../../domain/enforced.ts';
import { MintwardenError } from '../../domain/errors.ts';
import type { RoomFacts } from '../../domain/grant.ts';
import { isOperator, type RoomId, type UserId } from '../../domain/ids.ts';
import { allows } from '../../domain/scope.ts';
import type { Policy } from '../../domain/policy.ts';
import type { SubjectFacts } from '../../ports/directory.ts';
import { safeInline } from '../../words/safe-text.ts';
import { checkLimits } from './mint-limits.ts';
import { checkRecipientFacts, checkRecipientKeys, resolveRecipient } from './mint-recipient.ts';
import { checkRoom, excludedRooms, resolveRoom, roomFacts, type ExcludedRooms } from './mint-rooms.ts';
import { mintTerms } from './mint-terms.ts';
import { checkSubjectFacts, checkSubjectName } from './mint-subject.ts';
import type { MintPlan, MintRequest } from '../requests.ts';
import type { Services } from '../services.ts';

const NO_ADDRESSES = new MintwardenError(
  'refused-by-policy',
  '--from cannot be kept here: every request reaches the gateway from its own proxy.',
  'Name the proxy’s address in gateway.trusted_proxies, and have it set X-Forwarded-For; or leave --from out.',
);

/** As many characters as the notice shows of it. */
const MAX_REASON = 300;

/**
 * What a mint would make, with every reason against it looked for first. Look-ups run side by side; of
 * several reasons the one about the subject is told first, then rooms, then the recipient.
 * @param purpose a preview also shows what this version's gateway does not enforce yet; it is never minted
 * @throws MintwardenError with the next step; nothing was done then
 */
export async function planMint(
  services: Services,
  request: MintRequest,
  purpose: 'mint' | 'preview' = 'mint',
): Promise<MintPlan> {
  const policy = services.policy();
  const { subject } = request;
  checkSubjectName(services, policy, subject);
  const recipient = resolveRecipient(services, request);
  const ttlMs = checkTtl(policy, request.ttlMs);
  const reason = checkReason(policy, request.reason);
  if (request.rooms !== 'all' && request.rooms.length === 0) {
    throw new MintwardenError(
      'usage',
      'No room is named.',
      'Say --rooms with room ids or aliases, or --rooms all.',
    );
  }

  const terms = mintTerms(request, purpose === 'mint' ? ENFORCED : null);
  if (terms.from !== undefined && !services.seesAddresses) throw NO_ADDRESSES;

  const limits = deferRejection(checkLimits(services.ledger, policy, subject));
  const person = isOperator(recipient) ? null : recipient;
  const keys = person === null ? null : deferRejection(services.chat.keys(person));
  const pin = person === null ? null : deferRejection(services.ledger.pin(person));
  const dm = person === null ? null : deferRejection(services.chat.dm(person));
  const recipientFacts =
    person === null || person === subject ? null : deferRejection(services.directory.subject(person));
  const theirDm = deferRejection(services.chat.dm(subject));
  const excluded = deferRejection(services.ledger.excluded());
  const predecessors = deferRejection(services.chat.controlRoomPredecessors());
  const early = earlyFacts(services, request);
  const notices = deferRejection(services.directory.hasServerNotices());

  const facts = checkSubjectFacts(policy, subject, await services.directory.subject(subject), {
    hasServerNotices: await notices,
    dm: await theirDm,
  });
  const control = [services.controlRoomId as RoomId, ...(await predecessors)];
  const outside = excludedRooms(await excluded, {
    control,
    dms: [await theirDm, await dm],
    noticesRoom: facts.noticesRoom,
  });
  const rooms = await namedRooms(
    services,
    request,
    facts,
    outside,
    early,
    allows(terms, 'join') || allows(terms, 'knock'),
  );
  if (person !== null && keys !== null) {
    checkRecipientFacts(person, recipientFacts === null ? facts : await recipientFacts, await dm);
    checkRecipientKeys(person, await keys, await pin);
  }
  await limits;

  const now = services.clock.now();
  return {
    grant: {
      revision: 1,
      subject,
      minter: request.minter,
      recipient,
      scope: { ...terms, rooms: rooms === 'all' ? 'all' : rooms.map((room) => room.roomId) },
      rooms: rooms === 'all' ? [] : rooms,
      reason,
      ttlMs,
      createdAt: now,
      expiresAt: now + ttlMs,
      state: 'minting',
      suspended: false,
      endedAt: null,
      endedBy: null,
      endCause: null,
      failure: null,
      delivery: 'waiting',
      command: request.command?.eventId ?? null,
      nextActionAt: null,
    },
    recipientJoined: person === null || (await dm)?.membership === 'join',
  };
}

/** Its failure is told when it is awaited, not before: the order of the errors is ours. */
function deferRejection<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

function checkTtl(policy: Policy, asked: number | null): number {
  const ttlMs = asked ?? Math.min(policy.defaultTtlMs, policy.maxTtlMs);
  if (!Number.isSafeInteger(ttlMs) || ttlMs <= 0)
    throw new MintwardenError('usage', 'A lifetime must be above zero.', 'Write for example --ttl 1h.');
  if (ttlMs <= policy.maxTtlMs) return ttlMs;
  throw new MintwardenError(
    'refused-by-policy',
    `Policy allows at most ${speakDuration(policy.maxTtlMs)} of life, and ${speakDuration(ttlMs)} was asked for.`,
    `Write --ttl ${formatDuration(policy.maxTtlMs)} or less.`,
  );
}

function checkReason(policy: Policy, asked: string | null): string | null {
  const given = asked?.trim() ?? '';
  // What nobody can see is no reason.
  const reason = safeInline(given).trim() === '' ? '' : given;
  if (reason === '' && policy.reasonRequired) {
    throw new MintwardenError(
      'refused-by-policy',
      'Policy asks for a reason, and the subject will read it.',
      'Add --reason "…".',
    );
  }
  if (Array.from(reason).length > MAX_REASON) {
    throw new MintwardenError(
      'usage',
      `The reason is longer than ${MAX_REASON} characters, and the subject is to read all of it.`,
      'Say it in fewer words.',
    );
  }
  return reason === '' ? null : reason;
}

type EarlyFacts = ReadonlyMap<RoomId, Promise<RoomFacts>>;

/** Rooms named by their full id can be looked up right away, in parallel with everything else. */
function earlyFacts(services: Services, request: MintRequest): EarlyFacts {
  if (request.rooms === 'all') return new Map();
  const ids = request.rooms.flatMap((reference) => (reference.kind === 'id' ? [reference.roomId] : []));
  return new Map(ids.map((id) => [id, deferRejection(roomFacts(id, services.directory))]));
}

async function namedRooms(
  services: Services,
  request: MintRequest,
  facts: SubjectFacts,
  outside: ExcludedRooms,
  early: EarlyFacts,
  mayEnter: boolean,
): Promise<'all' | readonly RoomFacts[]> {
  if (request.rooms === 'all') return 'all';
  const joined = new Set(facts.joinedRooms);
  const subject: UserId = request.subject;
  const resolving = request.rooms.map((reference) =>
    deferRejection(resolveRoom(reference, subject, facts.joinedRooms, services.directory)),
  );
  const ids = new Set<RoomId>();
  for (const room of resolving) ids.add(await room);
  const notices = await noticesAmong(services, mayEnter ? [...ids].filter((id) => !joined.has(id)) : []);
  for (const id of ids) checkRoom(id, subject, joined, new Map([...outside, ...notices]), mayEnter);
  return Promise.all([...ids].map((id) => early.get(id) ?? roomFacts(id, services.directory)));
}

/** Of rooms the subject is not in, those that server notices come in: a holder could reject the invite. */
async function noticesAmong(services: Services, ids: readonly RoomId[]): Promise<ExcludedRooms> {
  const are = await Promise.all(ids.map((id) => services.directory.isNoticesRoom(id)));
  return new Map(ids.filter((_, index) => are[index] === true).map((id) => [id, 'server-notices']));
}
