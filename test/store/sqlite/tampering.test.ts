import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { chained, chainFault, CHAIN_START } from '../../../src/domain/audit.ts';
import { openSqliteLedger, openSqliteLedgerReadOnly } from '../../../src/store/sqlite/index.ts';
import { auditText } from '../../../src/store/sqlite/rows/audit-row.ts';
import { ADMIN, NOON, sampleAudit } from '../../contract/sample.ts';
import { keptLog, scratchFolder } from '../scratch.ts';

const log = keptLog();
const UNLOCK = 'DROP TRIGGER audit_kept; DROP TRIGGER audit_unchanged;';

/** A ledger of five audit rows, tampered with by someone who has the file; gives what a check of it finds. */
async function found(tamper: (db: DatabaseSync) => void) {
  await using scratch = await scratchFolder();
  const options = { file: scratch.file, log };
  const ledger = await openSqliteLedger(options);
  for (let i = 1; i <= 5; i++)
    await ledger.commit({ at: NOON, audit: [sampleAudit({ at: NOON + i, data: { i } })] });
  await ledger.close();
  const db = new DatabaseSync(scratch.file);
  db.exec(UNLOCK);
  tamper(db);
  db.close();
  const reader = await openSqliteLedgerReadOnly(options);
  try {
    const { auditRows, auditHead } = await reader.counts();
    return chainFault(await reader.audit(0, 100), { seq: auditRows, hash: auditHead });
  } finally {
    await reader.close();
  }
}

describe('an audit that was tampered with in the file', () => {
  it('holds when nothing was done to it', async () => {
    expect(await found(() => {})).toBeNull();
  });

  it.each([
    ['another actor', `UPDATE audit SET event = replace(event, '@admin', '@other') WHERE seq = 3`, 3],
    ['another time', `UPDATE audit SET event = json_set(event, '$.at', 1) WHERE seq = 3`, 3],
    ['other data', `UPDATE audit SET event = json_set(event, '$.data.i', 4) WHERE seq = 3`, 3],
    ['more data', `UPDATE audit SET event = json_set(event, '$.data.more', 'x') WHERE seq = 3`, 3],
    [
      'an action nobody knows',
      `UPDATE audit SET event = json_set(event, '$.action', 'blessed') WHERE seq = 3`,
      3,
    ],
    ['another hash', `UPDATE audit SET hash = lower(hex(randomblob(32))) WHERE seq = 3`, 3],
    ['a row gone from the middle', 'DELETE FROM audit WHERE seq = 3', 3],
    ['the first row gone', 'DELETE FROM audit WHERE seq = 1', 1],
    ['the last row gone', 'DELETE FROM audit WHERE seq = 5', 5],
    ['all rows gone', 'DELETE FROM audit', 1],
    [
      'a row gone and the rest moved up',
      'DELETE FROM audit WHERE seq = 3; UPDATE audit SET seq = seq - 1 WHERE seq > 3',
      3,
    ],
    [
      'two rows swapped',
      'UPDATE audit SET seq = 99 WHERE seq = 2; UPDATE audit SET seq = 2 WHERE seq = 3; UPDATE audit SET seq = 3 WHERE seq = 99',
      2,
    ],
    [
      'two events swapped',
      `UPDATE audit SET event = (SELECT a.event FROM audit a WHERE a.seq = 7 - audit.seq) WHERE seq IN (3, 4)`,
      3,
    ],
  ])('shows it: %s', async (_what, sql, seq) => {
    expect(await found((db) => db.exec(sql))).toMatchObject({ seq });
  });

  it('shows a row rewritten with a hash of its own, by the row after it', async () => {
    const forge = (db: DatabaseSync) => {
      const previous = String(db.prepare('SELECT hash FROM audit WHERE seq = 2').get()?.['hash']);
      const row = chained(sampleAudit({ actor: 'operator:nobody' }), 3, previous);
      db.prepare('UPDATE audit SET event = ?, hash = ? WHERE seq = 3').run(auditText(row), row.hash);
    };
    expect(await found(forge)).toMatchObject({ seq: 4 });
  });

  it('shows a whole chain rewritten, by the head that was known before', async () => {
    const rewrite = (db: DatabaseSync) => {
      db.exec('DELETE FROM audit');
      let previous = CHAIN_START;
      for (let seq = 1; seq <= 5; seq++) {
        const row = chained(sampleAudit({ actor: ADMIN, data: {} }), seq, previous);
        db.prepare('INSERT INTO audit VALUES (?, ?, ?, ?)').run(seq, auditText(row), previous, row.hash);
        previous = row.hash;
      }
    };
    expect(await found(rewrite)).toMatchObject({ seq: 5 });
  });

  it('shows rows cut off at the end even when the service has written on since', async () => {
    await using scratch = await scratchFolder();
    const options = { file: scratch.file, log };
    const write = async (count: number) => {
      const ledger = await openSqliteLedger(options);
      for (let i = 0; i < count; i++) await ledger.commit({ at: NOON, audit: [sampleAudit()] });
      const rows = await ledger.audit(0, 100);
      await ledger.close();
      return rows;
    };
    await write(3);
    const db = new DatabaseSync(scratch.file);
    db.exec(`${UNLOCK} DELETE FROM audit WHERE seq = 3`);
    db.close();
    expect(chainFault(await write(2))).toMatchObject({ seq: 3 });
  });
});

describe('the tables themselves', () => {
  it.each([
    'DELETE FROM audit',
    "UPDATE audit SET hash = ''",
    'DELETE FROM commands',
    "UPDATE commands SET event_id = 'x'",
    'DELETE FROM grants',
  ])('refuse %s', async (sql) => {
    await using scratch = await scratchFolder();
    const ledger = await openSqliteLedger({ file: scratch.file, log });
    const { sampleCommand, sampleGrant } = await import('../../contract/sample.ts');
    await ledger.commit({
      at: NOON,
      command: sampleCommand('$a'),
      grants: [sampleGrant({ id: 'AAAAA1' })],
      audit: [sampleAudit()],
    });
    await ledger.close();
    const db = new DatabaseSync(scratch.file);
    expect(() => db.exec(sql)).toThrow(/never|append-only/);
    db.close();
  });
});
