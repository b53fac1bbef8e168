import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { chainFault } from '../../../src/domain/audit.ts';
import type { GrantId, LeaseId, MessageId } from '../../../src/domain/ids.ts';
import type { Ledger } from '../../../src/ports/ledger.ts';
import { createLedger } from '../../../src/store/sqlite/ledger.ts';
import { migrate } from '../../../src/store/sqlite/migrate.ts';
import { NOON, sampleAudit, sampleGrant, sampleLease, sampleMessage } from '../../contract/sample.ts';
import { keptLog, scratchFolder } from '../scratch.ts';

/** A ledger with its connection in the test's hands, so that real trouble can be made. */
async function openHanded(file: string) {
  const log = keptLog();
  const db = new DatabaseSync(file);
  db.exec('PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON');
  migrate(db, file);
  return { db, log, ledger: createLedger({ db, file, log, onClosed: () => {} }) };
}

const holds = async (ledger: Ledger) => {
  const { auditRows, auditHead } = await ledger.counts();
  return chainFault(await ledger.audit(0, 10_000), { seq: auditRows, hash: auditHead });
};

describe('a full disk', () => {
  it('loses the change that did not fit, whole, and nothing else; later ones are written', async () => {
    await using scratch = await scratchFolder();
    const { db, ledger } = await openHanded(scratch.file);
    const pages = Number(db.prepare('PRAGMA page_count').get()?.['page_count']);
    db.exec(`PRAGMA max_page_count = ${pages + 4}`);
    const heard: number[] = [];
    ledger.onCommitted((change) => heard.push(change.at));
    const change = (at: number) => ({
      at,
      grants: [sampleGrant({ id: `FULL${at}`, reason: 'x'.repeat(500) })],
      leases: [sampleLease({ id: `l${at}`, grantId: `FULL${at}` as GrantId })],
      audit: [sampleAudit({ data: { pad: 'x'.repeat(3_000) } })],
    });
    let written = 0;
    await expect(
      (async () => {
        while (written < 1_000) {
          await ledger.commit(change(written));
          written++;
        }
      })(),
    ).rejects.toMatchObject({
      code: 'state',
      message: expect.stringContaining('the disk is full'),
      hint: expect.stringContaining('Free some space'),
    });
    expect(written).toBeGreaterThan(0);
    expect(heard).toHaveLength(written);
    expect(await ledger.counts()).toMatchObject({
      grantsEver: written,
      auditRows: written,
      leases: { asking: written },
    });
    expect(await ledger.grant(`FULL${written}` as GrantId)).toBeNull();

    db.exec('PRAGMA max_page_count = 100000');
    expect(await ledger.commit(change(written))).toBe('committed');
    expect(await holds(ledger)).toBeNull();
    await ledger.close();
  });
});

describe('a file that cannot be written to any more', () => {
  it('is an error of state, and forgotten once it can be', async () => {
    await using scratch = await scratchFolder();
    const { db, ledger } = await openHanded(scratch.file);
    db.exec('PRAGMA query_only = ON');
    const change = { at: NOON, grants: [sampleGrant({ id: 'AAAAA1' })], audit: [sampleAudit()] };
    await expect(ledger.commit(change)).rejects.toMatchObject({
      code: 'state',
      message: expect.stringContaining('cannot be written'),
    });
    expect(await ledger.grant('AAAAA1' as GrantId)).toBeNull();
    db.exec('PRAGMA query_only = OFF');
    expect(await ledger.commit(change)).toBe('committed');
    await ledger.close();
  });

  it('held by another program is an error that says so', async () => {
    await using scratch = await scratchFolder();
    const { ledger, db } = await openHanded(scratch.file);
    db.exec('PRAGMA busy_timeout = 20');
    const other = new DatabaseSync(scratch.file);
    other.exec('BEGIN IMMEDIATE');
    await expect(ledger.commit({ at: NOON })).rejects.toMatchObject({
      code: 'state',
      message: expect.stringContaining('another program'),
    });
    other.exec('ROLLBACK');
    other.close();
    expect(await ledger.commit({ at: NOON })).toBe('committed');
    await ledger.close();
  });
});

describe('a failed look-up', () => {
  it('is never "not there"', async () => {
    await using scratch = await scratchFolder();
    const { db, ledger } = await openHanded(scratch.file);
    db.exec(
      'PRAGMA foreign_keys = OFF; DROP TABLE messages; DROP TABLE leases; DROP TABLE commands; DROP TABLE pins; DROP TABLE grants',
    );
    const failed = { name: 'MintwardenError', code: 'state' };
    await expect(ledger.grant('A' as GrantId)).rejects.toMatchObject(failed);
    await expect(ledger.grantsByPrefix('AAAA', 1)).rejects.toMatchObject(failed);
    await expect(ledger.leases('A' as GrantId)).rejects.toMatchObject(failed);
    await expect(ledger.message('A' as MessageId)).rejects.toMatchObject(failed);
    await expect(ledger.due(NOON, 1)).rejects.toMatchObject(failed);
    await expect(ledger.commandSeen('$a' as never, null, null)).rejects.toMatchObject(failed);
    await expect(ledger.pin('@a:b' as never)).rejects.toMatchObject(failed);
    await ledger.close();
  });
});

describe('a row that is not understood', () => {
  const bad: readonly (readonly [what: string, sql: string])[] = [
    ['a scope of a later version', `UPDATE grants SET scope = '{"v":2,"rooms":"all","can":["read"]}'`],
    [
      'a scope with an unknown key',
      `UPDATE grants SET scope = '{"v":1,"rooms":"all","can":["read"],"unless":"x"}'`,
    ],
    ['a scope with an unknown capability', `UPDATE grants SET scope = '{"v":1,"rooms":"all","can":["fly"]}'`],
    ['a scope that is no JSON', `UPDATE grants SET scope = '{'`],
    ['a state that is none', `UPDATE grants SET state = 'immortal'`],
    ['rooms that are none', `UPDATE grants SET rooms = '[1]'`],
    ['a number beyond all numbers of ours', 'UPDATE grants SET expires_at = 9223372036854775807'],
  ];

  it.each(bad)('(%s) is an error to whoever asks for it, and holds up nothing else', async (_what, sql) => {
    await using scratch = await scratchFolder();
    const { db, log, ledger } = await openHanded(scratch.file);
    // Three bad rows are due before the good one, and more than the limit: they must not starve it.
    const ids = ['BADAA1', 'BADBB2', 'BADCC3', 'GOODD4'];
    await ledger.commit({
      at: NOON,
      grants: ids.map((id, index) => sampleGrant({ id, state: 'live', nextActionAt: NOON + index })),
    });
    db.exec(`${sql} WHERE id LIKE 'BAD%'`);
    const failed = { code: 'state', message: expect.stringContaining('BADAA1') };
    await expect(ledger.grant('BADAA1' as GrantId)).rejects.toMatchObject(failed);
    await expect(ledger.grantsByPrefix('BADA', 10)).rejects.toMatchObject(failed);
    for (let i = 0; i < 2; i++) {
      expect((await ledger.due(NOON + 9, 1)).grants.map(({ id }) => id)).toEqual(['GOODD4']);
      expect((await ledger.grants({ limit: 10 })).map(({ id }) => id)).toEqual(['GOODD4']);
    }
    expect((await ledger.counts()).unreadable).toBe(3);
    const told = log.lines.filter(({ level }) => level === 'error');
    expect(told.map(({ data }) => data['id'])).toEqual(['BADAA1', 'BADBB2', 'BADCC3']);
    await ledger.close();
  });

  it('(a lease or a message) does not hold up the others either', async () => {
    await using scratch = await scratchFolder();
    const { db, ledger } = await openHanded(scratch.file);
    const grantId = 'AAAAA1' as GrantId;
    await ledger.commit({
      at: NOON,
      grants: [sampleGrant({ id: grantId })],
      leases: ['bad', 'good'].map((id) => sampleLease({ id, grantId, nextActionAt: NOON })),
      messages: ['bad', 'worse', 'good'].map((id) => sampleMessage({ id, grantId, nextActionAt: NOON })),
    });
    db.exec(`UPDATE leases SET state = 'lost' WHERE id = 'bad';
      UPDATE messages SET body = '{"kind":"everything"}' WHERE id = 'bad'; UPDATE messages SET destination = '[]' WHERE id = 'worse'`);
    const due = await ledger.due(NOON, 1);
    expect(due.leases.map(({ id }) => id)).toEqual(['good']);
    expect(due.messages.map(({ id }) => id)).toEqual(['good']);
    await expect(ledger.lease('bad' as LeaseId)).rejects.toMatchObject({ code: 'state' });
    await expect(ledger.leases(grantId)).rejects.toMatchObject({ code: 'state' });
    await expect(ledger.messages(grantId)).rejects.toMatchObject({ code: 'state' });
    await ledger.close();
  });
});
