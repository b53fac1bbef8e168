import type { Change } from '../../domain/change.ts';
import { MintwardenError } from '../../domain/errors.ts';
import { effectiveState } from '../../domain/grant.ts';
import type { GrantId } from '../../domain/ids.ts';
import type { Ledger } from '../../ports/ledger.ts';
import type { Log } from '../../ports/log.ts';
import { toIpcError } from './ipc-error.ts';
import { type Connection, createHandlers, type HandlerServices } from './ipc-handlers.ts';
import { createLimitLender } from './limit-lender.ts';
import type { LimitPool } from './limit-pools.ts';
import type { IpcCall, IpcMethod, IpcMethods, Reclaimed, SharedLimit, ToChild, Update } from './messages.ts';
import type { SharedRevision } from './shared-revision.ts';

/** What the bot's process answers with. */
export type IpcServerOptions = HandlerServices & {
  /** Its commits are sent on after `access` has heard of them. */
  readonly ledger: Pick<Ledger, 'onCommitted'>;
  readonly revision: SharedRevision;
  /** What is lent to the processes. */
  readonly pools: Readonly<Record<SharedLimit, LimitPool>>;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly log: Log;
};

/** The bot's process's end of all pipes. */
export type IpcServer = {
  /** The revision that a child which starts now is current with. */
  readonly revision: number;
  /** The bot's clock, epoch ms. */
  readonly now: () => number;
  /** Connects one child. */
  connect(send: (message: ToChild) => void): {
    handle(id: number, call: IpcCall): Promise<void>;
    reclaimed(answer: Reclaimed): void;
    close(): void;
  };
  /** Sends every child a heartbeat. */
  heartbeat(): void;
  close(): void;
};

const NO_CHANGES = { changed: [], leases: [], over: [], outside: [] } as const;
const MAX_TRIES = 100;
/** What can be called again without doing anything twice. */
const IDEMPOTENT: ReadonlySet<IpcMethod> = new Set<IpcMethod>(['present', 'upstream', 'refresh']);

/**
 * Answers the calls of gateway processes, and sends all of them what changes before anything else runs: first
 * by the shared revision, then by their pipes. A child is answered only about grants whose token it has shown.
 */
export function createIpcServer(options: IpcServerOptions): IpcServer {
  const { access, ledger, revision, now, log } = options;
  const connections = new Set<Connection>();
  const lender = createLimitLender(options.pools, connections);
  const handlers = createHandlers(options, lender, connections);

  const broadcast = (changes: Omit<Update, 'at' | 'now'>): void => {
    const update: Update = { at: revision.current, now: now(), ...changes };
    for (const { send } of connections) send({ type: 'update', ...update });
  };
  const publish = (changes: Omit<Update, 'at' | 'now'>): void => {
    try {
      revision.increment();
    } catch {
      // The pipes carry it all the same; but nobody waits for it then.
      log.error('the revision of the gateway processes cannot be written');
    }
    broadcast(changes);
  };
  const ended = new Set<GrantId>();
  const stopEnds = access.onGrantInactive((id) => {
    ended.add(id);
    // If a commit caused it, that has been published by then; what is left ended by the clock.
    queueMicrotask(() => {
      if (ended.delete(id)) publish({ ...NO_CHANGES, over: [{ grantId: id, as: null }] });
    });
  });
  const stopCommits = ledger.onCommitted((change: Change) => {
    const grants = (change.grants ?? []).map((grant) => ({
      grantId: grant.id,
      as: effectiveState(grant, now()),
    }));
    for (const { grantId } of grants) ended.delete(grantId);
    const changed = grants.filter(({ as }) => as === 'active').map(({ grantId }) => grantId);
    const over = grants.flatMap(({ grantId, as }) => (as === 'active' ? [] : [{ grantId, as }]));
    const leases = (change.leases ?? []).map(({ grantId }) => grantId);
    const outside = (change.excluded ?? []).map(({ roomId }) => roomId);
    if (grants.length + leases.length + outside.length > 0) publish({ changed, leases, over, outside });
  });

  const invoke = <K extends IpcMethod>(kind: K, params: IpcMethods[K]['params'], from: Connection) => {
    if (!Object.hasOwn(handlers, kind)) throw new MintwardenError('not-allowed', 'That cannot be asked.');
    return handlers[kind](params, from);
  };

  /**
   * Looked up again if an update was sent meanwhile: the child would apply that first, and the old result
   * would undo it. `give` sends the result before anything else runs.
   */
  const answer = async (
    kind: IpcMethod,
    params: IpcMethods[IpcMethod]['params'],
    from: Connection,
    give: (result: unknown) => void,
  ): Promise<void> => {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const before = revision.current;
      const invoked = invoke(kind, params, from);
      const result: unknown = invoked instanceof Promise ? await invoked : invoked;
      if (revision.current === before || !IDEMPOTENT.has(kind)) return give(result);
    }
    throw new MintwardenError('state', 'The ledger changes too quickly to be read.', 'Try again.');
  };

  return {
    get revision() {
      return revision.current;
    },
    now,
    connect(send) {
      const connection: Connection = { send, shown: new Map(), slots: new Map(), used: [] };
      connections.add(connection);
      return {
        async handle(id, call) {
          try {
            const { kind, ...params } = call;
            await answer(kind, params, connection, (result) => send({ type: 'result', id, result }));
          } catch (caught) {
            const error = toIpcError(caught);
            if (error.code === 'internal') log.error('a gateway process could not be answered');
            send({ type: 'error', id, error });
          }
        },
        reclaimed({ id, limit, grantId, count }) {
          lender.giveBack(limit, grantId, count, connection);
          lender.reclaimed(id);
        },
        close() {
          connections.delete(connection);
          lender.release(connection);
          for (const id of connection.used.splice(0))
            access.finishUse(id).catch(() => log.warn('the end of a request was not counted', { grant: id }));
        },
      };
    },
    heartbeat: () => broadcast(NO_CHANGES),
    close() {
      stopEnds();
      stopCommits();
      connections.clear();
    },
  };
}
