import { MintwardenError } from '../../domain/errors.ts';
import type { GrantId } from '../../domain/ids.ts';
import type { Access, AccessControl } from '../../lifecycle/access/access-control.ts';
import type { Transactions } from '../../ports/transactions.ts';
import type { RateClass } from '../http/call.ts';
import type { RateLimiter } from '../limits/rate-limiter.ts';
import type { Borrower, LimitLender } from './limit-lender.ts';
import type { GrantSnapshot, IpcMethod, IpcMethods, TokenCheck } from './messages.ts';

/** What children call, in the bot's process. */
export type HandlerServices = {
  readonly access: AccessControl;
  readonly transactions: Transactions;
  readonly rateLimiters: Readonly<Record<RateClass, RateLimiter>>;
};

/** One connected child. */
export type Connection = Borrower & {
  /** The grants whose token it has shown, as they were last sent to it. */
  readonly shown: Map<GrantId, Access & Pick<GrantSnapshot, 'version'>>;
  /** The grants of requests that were counted and are under way. */
  readonly used: GrantId[];
};

/** What answers each method. */
export type Handlers = {
  readonly [K in IpcMethod]: (
    params: IpcMethods[K]['params'],
    from: Connection,
  ) => IpcMethods[K]['result'] | Promise<IpcMethods[K]['result']>;
};

const MAX_SHOWN = 10_000;

/** @param connections those that are open at this moment */
export function createHandlers(
  { access, transactions, rateLimiters }: HandlerServices,
  lender: LimitLender,
  connections: ReadonlySet<Connection>,
): Handlers {
  let versions = 0;

  const snapshotOf = ({ grant, rooms }: Access, { shown }: Connection): GrantSnapshot => {
    const version = ++versions;
    shown.delete(grant.id);
    if (shown.size >= MAX_SHOWN) shown.delete(shown.keys().next().value ?? grant.id);
    shown.set(grant.id, { version, grant, rooms });
    return { version, grant, rooms: [...rooms] };
  };

  const proven = (id: GrantId, { shown }: Connection): GrantId => {
    if (shown.has(id)) return id;
    throw new MintwardenError('not-allowed', 'This process has not shown the token of that grant.');
  };

  return {
    present: ({ token, have }, from) =>
      mapNow(access.verifyToken(token), (presented): TokenCheck => {
        if (presented.kind !== 'valid') return presented;
        const { grant, rooms } = presented.access;
        const known = from.shown.get(grant.id);
        if (known !== undefined && known.version === have && known.grant === grant && known.rooms === rooms)
          return { kind: 'same', grantId: grant.id };
        return { kind: 'valid', snapshot: snapshotOf(presented.access, from) };
      }),
    upstream: ({ grantId }, from) => access.upstreamToken(proven(grantId, from)),
    upstreamRefused: ({ grantId, leaseId }, from) =>
      access.replaceUpstreamToken(proven(grantId, from), leaseId),
    refresh: async ({ grantId, spokenOf }, from) => {
      const fresh = await access.refreshRooms(proven(grantId, from), spokenOf ?? undefined);
      return fresh === null ? null : snapshotOf(fresh, from);
    },
    use: async ({ grantId }, from) => {
      const counted = await access.countUse(proven(grantId, from));
      if (!counted) return false;
      // If the process ended meanwhile, it will not say that the request is over.
      if (connections.has(from)) from.used.push(grantId);
      else await access.finishUse(grantId);
      return true;
    },
    useOver: async ({ grantId }, { used }) => {
      const at = used.indexOf(grantId);
      if (at < 0) throw new MintwardenError('not-allowed', 'No such request is under way.');
      used.splice(at, 1);
      await access.finishUse(grantId);
      return null;
    },
    usesLeft: ({ grantId }, from) => access.usesLeft(proven(grantId, from)),
    withdraw: async ({ grantId }, from) => {
      await access.withdraw(proven(grantId, from));
      return null;
    },
    takeRate: ({ grantId, rateClass }, from) => rateLimiters[rateClass].take(proven(grantId, from)),
    borrow: ({ limit, grantId, count }, from) => lender.lend(limit, proven(grantId, from), count, from),
    giveBack({ limit, grantId, count }, from) {
      lender.giveBack(limit, proven(grantId, from), count, from);
      return null;
    },
    charge({ grantId, count }, from) {
      lender.charge(proven(grantId, from), count);
      return null;
    },
    find: ({ key }, from) => transactions.find({ ...key, grantId: proven(key.grantId, from) }),
    begin: ({ begun }, from) => transactions.begin({ ...begun, grantId: proven(begun.grantId, from) }),
    resume: async ({ key, leaseId }, from) => {
      await transactions.resume({ ...key, grantId: proven(key.grantId, from) }, leaseId);
      return null;
    },
    sent: async ({ key, eventId }, from) => {
      await transactions.sent({ ...key, grantId: proven(key.grantId, from) }, eventId);
      return null;
    },
    unsent: async ({ key }, from) => {
      await transactions.unsent({ ...key, grantId: proven(key.grantId, from) });
      return null;
    },
    made: ({ grantId, address, as }, from) => {
      proven(grantId, from);
      for (const other of connections)
        if (other !== from) other.send({ type: 'own-media', grantId, address, as });
      return null;
    },
    forgetBefore: async ({ endedAt }) => {
      await transactions.forgetBefore(endedAt);
      return null;
    },
  };
}

/** Maps what is there now without waiting, and what is not when it comes. */
function mapNow<T, U>(value: T | Promise<T>, map: (value: T) => U): U | Promise<U> {
  return value instanceof Promise ? value.then(map) : map(value);
}
