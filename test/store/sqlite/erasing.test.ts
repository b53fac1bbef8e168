import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { markDelivered, markEnded, markLive } from '../../../src/domain/grant.ts';
import { openSqliteLedger } from '../../../src/store/sqlite/index.ts';
import { ADMIN, NOON, sampleGrant, sampleLease } from '../../contract/sample.ts';
import { keptLog, scratchFolder } from '../scratch.ts';

const TOKEN = 'v1.key.nonce.THE-SEALED-SCOPED-TOKEN';
const LEASE = 'v1.key.nonce.THE-SEALED-UPSTREAM-TOKEN';
const log = keptLog();

/**
 * The files of the folder that hold the text. The lock file is left alone: to close it after reading would
 * free the lock of this very process (POSIX).
 */
async function stillHolding(folder: string, text: string): Promise<readonly string[]> {
  const names = (await readdir(folder)).filter((name) => !name.endsWith('.lock'));
  const contents = await Promise.all(names.map((name) => readFile(join(folder, name))));
  return names.filter((_name, index) => contents[index]?.includes(text));
}

const grant = sampleGrant({ id: 'AAAAA1', sealedToken: TOKEN });
// Long enough to spill onto overflow pages too.
const lease = sampleLease({ id: 'l1', grantId: grant.id, sealed: LEASE + 'x'.repeat(9_000) + LEASE });

describe('an erased secret', () => {
  it('is gone from every byte of every file as soon as the commit resolves', async () => {
    await using scratch = await scratchFolder();
    const ledger = await openSqliteLedger({ file: scratch.file, log });
    await ledger.commit({ at: NOON, grants: [grant], leases: [lease] });
    expect(await stillHolding(scratch.folder, TOKEN)).not.toEqual([]);
    expect(await stillHolding(scratch.folder, LEASE)).not.toEqual([]);
    const live = markLive(grant);
    await ledger.commit({ at: NOON, grants: [live] });
    expect(await stillHolding(scratch.folder, TOKEN)).not.toEqual([]);
    await ledger.commit({
      at: NOON,
      grants: [markDelivered(live)],
      leases: [{ ...lease, revision: 2, sealed: null, state: 'dead' }],
    });
    expect(await stillHolding(scratch.folder, TOKEN)).toEqual([]);
    expect(await stillHolding(scratch.folder, LEASE)).toEqual([]);
    await ledger.close();
    expect(await stillHolding(scratch.folder, TOKEN)).toEqual([]);
  });

  it('is gone when it was in the database file already, and when it was replaced by another', async () => {
    await using scratch = await scratchFolder();
    const first = await openSqliteLedger({ file: scratch.file, log });
    await first.commit({ at: NOON, grants: [grant], leases: [lease] });
    await first.close();
    const second = await openSqliteLedger({ file: scratch.file, log });
    const replaced = { ...lease, revision: 2, sealed: 'another' };
    await second.commit({ at: NOON, grants: [markEnded(grant, 'revoked', ADMIN, NOON)], leases: [replaced] });
    expect(await stillHolding(scratch.folder, TOKEN)).toEqual([]);
    expect(await stillHolding(scratch.folder, LEASE)).toEqual([]);
    await second.close();
  });

  it('that a reader holds on to is gone once the reader is, at the next look of the reaper', async () => {
    await using scratch = await scratchFolder();
    const ledger = await openSqliteLedger({ file: scratch.file, log });
    await ledger.commit({ at: NOON, grants: [grant] });
    const reader = new DatabaseSync(scratch.file, { readOnly: true });
    reader.exec('BEGIN; SELECT count(*) FROM grants;');
    const begun = performance.now();
    expect(await ledger.commit({ at: NOON, grants: [markEnded(grant, 'revoked', ADMIN, NOON)] })).toBe(
      'committed',
    );
    expect(performance.now() - begun).toBeLessThan(1_000);
    expect(await stillHolding(scratch.folder, TOKEN)).not.toEqual([]);
    reader.exec('COMMIT');
    reader.close();
    await ledger.due(NOON, 1);
    expect(await stillHolding(scratch.folder, TOKEN)).toEqual([]);
    await ledger.close();
  });
});
