import { MintwardenError } from '../../domain/errors.ts';
import type { Change } from '../../domain/change.ts';
import { standing } from '../../domain/grant.ts';
import type { GrantId } from '../../domain/ids.ts';
import type { Access, AccessControl } from '../../lifecycle/access/access-control.ts';
import type { Ledger } from '../../ports/ledger.ts';
import type { Log } from '../../ports/log.ts';
import type { Transactions } from '../../ports/transactions.ts';
import type { Pace } from '../request/call.ts';
import type { WritePace } from '../writes/pace.ts';
import type { Board } from './shared-revision';
import type { Ask, Asked, Asks, News, PresentedAs, Told, ToChild } from './messages.ts';
import { problemOf } from './ipc-error';

/** What the bot's process answers with. */
export type RelayMeans = {
  readonly access: AccessControl;
  readonly transactions: Transactions;
  readonly paces: Readonly<Record<Pace, WritePace>>;
  /** Its commits are told after `access` has heard of them. */
  readonly ledger: Pick<Ledger, 'onCommitted'>;
  readonly board: Board;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly log: Log;
};

/** The bot's process's side of all pipes. */
export type Relay = {
  /** The count that a child which starts now is abreast with. */
  readonly at: number;
  /** The time that counts, epoch ms. */
  readonly now: () => number;
  /** Opens the line of one child. */
  open(send: (message: ToChild) => void): { answer(id: number, ask: Ask): Promise<void>; close(): void };
  /** Gives every child a sign of life. */
  beat(): void;
  close(): void;
};

type Child = {
  readonly send: (message: ToChild) => void;
  readonly told: Map<GrantId, Access & Pick<Told, 'version'>>;
  /** The grants of requests that were counted and are under way. */
  readonly used: GrantId[];
};
type Answers = {
  readonly [K in Asked]: (
    ask: Asks[K]['ask'],
    child: Child,
  ) => Asks[K]['answer'] | Promise<Asks[K]['answer']>;
};

const NOTHING = { changed: [], leases: [], over: [], outside: [] } as const;
const MAX_TOLD = 10_000;
const MAX_TRIES = 100;
/** What can be asked again without doing anything twice. */
const LOOK_UPS: ReadonlySet<Asked> = new Set<Asked>(['present', 'upstream', 'refresh']);

/**
 * Answers what gateway processes ask, and tells all of them what changes in the breath it changes in: first
 * by the board, then by their pipes. A child is answered only about grants whose token it has shown.
 */
export function relay({ access, transactions, paces, ledger, board, now, log }: RelayMeans): Relay {
  const children = new Set<Child>();
  let versions = 0;

  const tell = (news: Omit<News, 'at' | 'now'>): void => {
    try {
      board.raise();
    } catch {
      // The pipes tell it all the same; nobody waits for the board then, though.
      log.error('the board of the gateway processes cannot be written');
    }
    for (const child of children) child.send({ type: 'news', at: board.at, now: now(), ...news });
  };
  const ended = new Set<GrantId>();
  const stopOver = access.onOver((id) => {
    ended.add(id);
    // By then the commit that caused it has been told, with all there is to say; what is left ended by the
    // clock.
    queueMicrotask(() => {
      if (ended.delete(id)) tell({ ...NOTHING, over: [{ grantId: id, as: null }] });
    });
  });
  const stopCommits = ledger.onCommitted((change: Change) => {
    const grants = (change.grants ?? []).map((grant) => ({ grantId: grant.id, as: standing(grant, now()) }));
    for (const { grantId } of grants) ended.delete(grantId);
    const changed = grants.filter(({ as }) => as === 'good').map(({ grantId }) => grantId);
    const over = grants.flatMap(({ grantId, as }) => (as === 'good' ? [] : [{ grantId, as }]));
    const leases = (change.leases ?? []).map(({ grantId }) => grantId);
    const outside = (change.excluded ?? []).map(({ roomId }) => roomId);
    if (grants.length + leases.length + outside.length > 0) tell({ changed, leases, over, outside });
  });

  const toldOf = ({ grant, rooms }: Access, { told }: Child): Told => {
    const version = ++versions;
    told.delete(grant.id);
    if (told.size >= MAX_TOLD) told.delete(told.keys().next().value ?? grant.id);
    told.set(grant.id, { version, grant, rooms });
    return { version, grant, rooms: [...rooms] };
  };

  const proven = (id: GrantId, { told }: Child): GrantId => {
    if (told.has(id)) return id;
    throw new MintwardenError('not-allowed', 'This process has not shown the token of that grant.');
  };

  const answers: Answers = {
    present: ({ token, have }, child) =>
      whenThere(access.present(token), (presented): PresentedAs => {
        if (presented.kind !== 'good') return presented;
        const { grant, rooms } = presented.access;
        const known = child.told.get(grant.id);
        if (known !== undefined && known.version === have && known.grant === grant && known.rooms === rooms)
          return { kind: 'same', grantId: grant.id };
        return { kind: 'good', told: toldOf(presented.access, child) };
      }),
    upstream: ({ grantId }, child) => access.upstream(proven(grantId, child)),
    upstreamRefused: ({ grantId, leaseId }, child) => access.upstreamRefused(proven(grantId, child), leaseId),
    refresh: async ({ grantId, spokenOf }, child) => {
      const fresh = await access.refresh(proven(grantId, child), spokenOf ?? undefined);
      return fresh === null ? null : toldOf(fresh, child);
    },
    use: async ({ grantId }, child) => {
      const counted = await access.use(proven(grantId, child));
      if (!counted) return false;
      // Where the process ended meanwhile, nobody there will say that the request is over.
      if (children.has(child)) child.used.push(grantId);
      else await access.useOver(grantId);
      return true;
    },
    useOver: async ({ grantId }, { used }) => {
      const at = used.indexOf(grantId);
      if (at < 0) throw new MintwardenError('not-allowed', 'No such request is under way.');
      used.splice(at, 1);
      await access.useOver(grantId);
      return null;
    },
    usesLeft: ({ grantId }, child) => access.usesLeft(proven(grantId, child)),
    withdraw: async ({ grantId }, child) => {
      await access.withdraw(proven(grantId, child));
      return null;
    },
    pace: ({ grantId, pace }, child) => paces[pace].take(proven(grantId, child)),
    find: ({ key }, child) => transactions.find({ ...key, grantId: proven(key.grantId, child) }),
    begin: ({ begun }, child) => transactions.begin({ ...begun, grantId: proven(begun.grantId, child) }),
    resume: async ({ key, leaseId }, child) => {
      await transactions.resume({ ...key, grantId: proven(key.grantId, child) }, leaseId);
      return null;
    },
    sent: async ({ key, eventId }, child) => {
      await transactions.sent({ ...key, grantId: proven(key.grantId, child) }, eventId);
      return null;
    },
    unsent: async ({ key }, child) => {
      await transactions.unsent({ ...key, grantId: proven(key.grantId, child) });
      return null;
    },
    made: ({ grantId, address, as }, child) => {
      proven(grantId, child);
      for (const other of children) if (other !== child) other.send({ type: 'made', grantId, address, as });
      return null;
    },
    forgetBefore: async ({ endedAt }) => {
      await transactions.forgetBefore(endedAt);
      return null;
    },
  };

  const find = <K extends Asked>(kind: K, ask: Asks[K]['ask'], child: Child) => {
    if (!Object.hasOwn(answers, kind)) throw new MintwardenError('not-allowed', 'That cannot be asked.');
    return answers[kind](ask, child);
  };

  /**
   * Looked up again where news overtook it: they would come before it, and be undone by it. What it gives is
   * sent in the same breath.
   */
  const found = async (
    kind: Asked,
    ask: Asks[Asked]['ask'],
    child: Child,
    give: (answer: unknown) => void,
  ): Promise<void> => {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const before = board.at;
      const answer = find(kind, ask, child);
      const value: unknown = answer instanceof Promise ? await answer : answer;
      if (board.at === before || !LOOK_UPS.has(kind)) return give(value);
    }
    throw new MintwardenError('state', 'The ledger changes too quickly to be read.', 'Try again.');
  };

  return {
    get at() {
      return board.at;
    },
    now,
    open(send) {
      const child: Child = { send, told: new Map(), used: [] };
      children.add(child);
      return {
        async answer(id, asked) {
          try {
            const { kind, ...ask } = asked;
            await found(kind, ask, child, (answer) => send({ type: 'answer', id, answer }));
          } catch (error) {
            const problem = problemOf(error);
            if (problem.code === 'internal') log.error('a gateway process could not be answered');
            send({ type: 'problem', id, problem });
          }
        },
        close() {
          children.delete(child);
          for (const id of child.used.splice(0))
            access.useOver(id).catch(() => log.warn('the end of a request was not counted', { grant: id }));
        },
      };
    },
    beat: () => {
      for (const child of children) child.send({ type: 'news', at: board.at, now: now(), ...NOTHING });
    },
    close() {
      stopOver();
      stopCommits();
      children.clear();
    },
  };
}

function whenThere<T, U>(value: T | Promise<T>, then: (value: T) => U): U | Promise<U> {
  return value instanceof Promise ? value.then(then) : then(value);
}
