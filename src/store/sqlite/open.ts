import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { MintwardenError } from '../../domain/errors.ts';
import type { Ledger } from '../../ports/ledger.ts';
import type { Log } from '../../ports/log.ts';
import type { AnchorStore } from '../../ports/anchors.ts';
import type { Transactions } from '../../ports/transactions.ts';
import { diskError } from '../disk-errors.ts';
import { createAnchorStore } from './anchors.ts';
import { BUSY_TIMEOUT_MS } from './erase.ts';
import { createLedger, createLedgerReader } from './ledger.ts';
import { takeWriterLock } from './lock.ts';
import { checkVersion, migrate } from './migrate.ts';
import { MIGRATIONS } from './migrations.ts';
import { ensurePrivateFile } from '../private-file.ts';
import type { LedgerReader } from './queries.ts';
import { createTransactions } from './transactions.ts';

/** Where the ledger is, and where to tell of what is odd about it. */
export type SqliteLedgerOptions = { readonly file: string; readonly log: Log };

/**
 * The ledger, and beside it in the same file what was written through the gateway and what it knows of
 * itself. They close with the ledger.
 */
export type SqliteLedger = Ledger & { readonly transactions: Transactions; readonly anchors: AnchorStore };

/** The settings of a connection that writes: durable at each commit, what is erased is overwritten. */
const SETTINGS = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA foreign_keys = ON;
  PRAGMA secure_delete = ON;
  PRAGMA temp_store = MEMORY;
  PRAGMA trusted_schema = OFF;
`;

function refuseDamage(db: DatabaseSync, file: string): void {
  const found = db.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
  if (found === 'ok') return;
  throw new MintwardenError(
    'state',
    `The ledger ${file} is damaged.`,
    'Stop the service and restore the state folder from a backup.',
  );
}

/**
 * Opens the ledger in a SQLite file as its only writer, makes it where it is missing and brings its tables
 * to this version. A commit is on the disk (WAL, `synchronous=FULL`) before it resolves.
 * @throws MintwardenError `state`: in use by another process, from a newer version, damaged, not ours, or
 *   the folder or disk does not let us
 */
export async function openSqliteLedger({ file, log }: SqliteLedgerOptions): Promise<SqliteLedger> {
  await using cleanup = new AsyncDisposableStack();
  try {
    const unlock = takeWriterLock(file, log);
    cleanup.defer(unlock);
    ensurePrivateFile(file, log);
    const db = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS });
    const closeDatabase = cleanup.adopt(db, (opened) => opened.close());
    // Before anything is changed: a file that is not ours stays as it is.
    checkVersion(db, file);
    refuseDamage(db, file);
    db.exec(SETTINGS);
    migrate(db, file);
    const opened = { db: closeDatabase, file, log, onClosed: unlock };
    const ledger = {
      ...createLedger(opened),
      transactions: createTransactions(opened),
      anchors: createAnchorStore(opened),
    };
    cleanup.move();
    return ledger;
  } catch (error) {
    throw diskError(file, error);
  }
}

/**
 * Opens a ledger read-only, also while the service runs.
 * @throws MintwardenError `state`: missing, not ours, from another version, damaged, or not readable
 */
export async function openSqliteLedgerReadOnly({
  file,
  log,
}: SqliteLedgerOptions): Promise<LedgerReader & { readonly anchors: AnchorStore }> {
  if (!existsSync(file)) {
    throw new MintwardenError(
      'state',
      `There is no ledger at ${file}.`,
      'Check the path, or start the service once to make it.',
    );
  }
  await using cleanup = new AsyncDisposableStack();
  try {
    const db = cleanup.adopt(new DatabaseSync(file, { readOnly: true, timeout: BUSY_TIMEOUT_MS }), (opened) =>
      opened.close(),
    );
    if (checkVersion(db, file) < MIGRATIONS.length) {
      throw new MintwardenError(
        'state',
        `The ledger ${file} was last used by an older version of Mintwarden.`,
        'Start the service once; it brings the ledger up to date.',
      );
    }
    const opened = { db, file, log, onClosed: () => {} };
    const reader = { ...createLedgerReader(opened), anchors: createAnchorStore(opened) };
    cleanup.move();
    return reader;
  } catch (error) {
    throw diskError(file, error);
  }
}
