import { setImmediate as turn } from 'node:timers/promises';
import type { DatabaseSync } from 'node:sqlite';
import type { Change } from '../../domain/change.ts';
import { MintwardenError } from '../../domain/errors.ts';
import type { Ledger } from '../../ports/ledger.ts';
import type { Log } from '../../ports/log.ts';
import { changeWriter } from './commit.ts';
import { diskError } from '../disk-errors.ts';
import { eraser } from './erase.ts';
import { type LedgerReader, ledgerQueries } from './queries.ts';

/** A database that was opened, and what to do when it is closed. */
export type Opened = {
  readonly db: DatabaseSync;
  readonly file: string;
  readonly log: Log;
  readonly onClosed: () => void;
};

/** Runs one act on the database; what SQLite throws becomes a `state` error. */
export function guarded(opened: Opened): <T>(run: () => T) => Promise<T> {
  return async (run) => {
    if (!opened.db.isOpen) throw new MintwardenError('state', `The ledger ${opened.file} is closed.`);
    try {
      return run();
    } catch (error) {
      throw diskError(opened.file, error);
    }
  };
}

/** The reading half over an opened database. `beforeDue` runs before each `due`. */
export function createLedgerReader(opened: Opened, beforeDue: () => void = () => {}): LedgerReader {
  const guard = guarded(opened);
  const queries = ledgerQueries(opened.db, opened.log);
  return {
    grant: (id) => guard(() => queries.grant(id)),
    grantsByPrefix: (prefix, limit) => guard(() => queries.grantsByPrefix(prefix, limit)),
    grants: (filter) => guard(() => queries.grants(filter)),
    lease: (id) => guard(() => queries.lease(id)),
    leases: (grantId) => guard(() => queries.leases(grantId)),
    message: (id) => guard(() => queries.message(id)),
    messages: (grantId) => guard(() => queries.messages(grantId)),
    due: (now, limit) =>
      guard(() => {
        beforeDue();
        return queries.due(now, limit);
      }),
    excluded: () => guard(queries.excluded),
    pin: (userId) => guard(() => queries.pin(userId)),
    commandSeen: (eventId, sessionId, messageIndex) =>
      guard(() => queries.commandSeen(eventId, sessionId, messageIndex)),
    counts: () => guard(queries.counts),
    backlog: (now) => guard(() => queries.backlog(now)),
    audit: (afterSeq, limit) => guard(() => queries.audit(afterSeq, limit)),
    uses: (id) => guard(() => queries.uses(id)),
    close: async () => {
      if (!opened.db.isOpen) return;
      try {
        opened.db.close();
      } finally {
        opened.onClosed();
      }
    },
  };
}

/** The whole ledger over an opened database whose tables are of this version. */
export function createLedger(opened: Opened): Ledger {
  const { db, log } = opened;
  const guard = guarded(opened);
  const write = changeWriter(db);
  const erase = eraser(db, log);
  const use = db.prepare(
    `INSERT INTO uses (grant_id, used) VALUES (?1, 1) ON CONFLICT DO UPDATE SET used = used + 1 WHERE used < ?2 RETURNING used`,
  );
  const listeners = new Set<(change: Change) => void>();
  // A crash between a commit and its erasing leaves this to the next start.
  erase.due();

  const tell = (change: Change) => {
    for (const listener of Array.from(listeners)) {
      try {
        listener(change);
      } catch (error) {
        log.error('a listener to commits failed', {
          problem: error instanceof Error ? error.name : 'unknown',
        });
      }
    }
  };

  return {
    ...createLedgerReader(opened, erase.retry),
    commit: async (change) => {
      // In one turn of the event loop: nobody can look between the commit and its listeners.
      const written = await guard(() => {
        const done = write(change);
        if (done.result === 'committed') tell(change);
        return done;
      });
      // Everything in this process waits while the disk is waited for. What was heard by the listeners (a
      // refusal, above all) goes out before the log is emptied and before whoever committed goes on to the
      // next commit.
      await turn();
      if (!db.isOpen) return written.result;
      if (written.erasedSecret) erase.due();
      else erase.retry();
      return written.result;
    },
    use: (id, most) =>
      guard(() => {
        const counted = most > 0 ? use.get(id, most)?.['used'] : undefined;
        return counted === undefined ? null : Number(counted);
      }),
    onCommitted: (listener) => {
      // Wrapped, so that the same function given twice is two listeners.
      const own = (change: Change) => listener(change);
      listeners.add(own);
      return () => listeners.delete(own);
    },
  };
}
