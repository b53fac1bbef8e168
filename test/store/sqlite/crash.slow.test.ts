import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { chainFault } from '../../../src/domain/audit.ts';
import type { EventId, GrantId } from '../../../src/domain/ids.ts';
import { openSqliteLedger, openSqliteLedgerReadOnly } from '../../../src/store/sqlite/index.ts';
import { keptLog, scratchFolder } from '../scratch.ts';
import { until } from '../../support/wait.ts';

const COMMITTER = fileURLToPath(new URL('committer.ts', import.meta.url));
const log = keptLog();

/** A committer, what it said so far, and when it said a line that fits. */
function startCommitter(file: string, from: number) {
  const child: ChildProcess = spawn(process.execPath, [COMMITTER, file, String(from)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (said += text));
  const lines = () => said.split('\n').slice(0, -1);
  return {
    lines,
    until: (count: number) =>
      until(
        () => {
          if (child.exitCode !== null) throw new Error('the committer ended by itself');
          return lines().length >= count;
        },
        15_000,
        2,
      ),
    kill: async () => {
      const gone = once(child, 'close');
      child.kill('SIGKILL');
      await gone;
    },
  };
}

describe('kill -9', () => {
  it('in the middle of commits loses none that resolved, and halves none', async () => {
    await using scratch = await scratchFolder();
    const options = { file: scratch.file, log };
    let from = 0;
    for (let round = 0; round < 6; round++) {
      const committer = startCommitter(scratch.file, from);
      await committer.until(3 + round * 7);
      await committer.kill();
      const resolved = committer.lines().slice(1).map(Number);
      expect(resolved.length).toBeGreaterThan(0);

      const ledger = await openSqliteLedger(options);
      const { grantsEver, live, leases, messagesWaiting, auditRows, auditHead } = await ledger.counts();
      // One more can have been committed than it came to say; it is there whole then.
      expect(grantsEver - (resolved.at(-1)! + 1)).toBeOneOf([0, 1]);
      expect([live, leases.asking, messagesWaiting, auditRows]).toEqual([
        grantsEver,
        grantsEver,
        grantsEver,
        2 * grantsEver,
      ]);
      for (const n of resolved) {
        expect(await ledger.grant(`G${n}` as GrantId)).toMatchObject({ state: 'live', revision: 2 });
        expect(await ledger.commandSeen('$other' as EventId, 'session', n)).toBe(true);
      }
      expect(chainFault(await ledger.audit(0, 100_000), { seq: auditRows, hash: auditHead })).toBeNull();
      from = grantsEver;
      await ledger.close();
    }
  });

  it('frees the ledger, which until then is refused to a second process but open to readers', async () => {
    await using scratch = await scratchFolder();
    const options = { file: scratch.file, log };
    const committer = startCommitter(scratch.file, 0);
    await committer.until(3);
    await expect(openSqliteLedger(options)).rejects.toMatchObject({
      code: 'state',
      message: expect.stringContaining('in use by another process'),
    });
    const reader = await openSqliteLedgerReadOnly(options);
    const { auditRows, auditHead } = await reader.counts();
    expect(auditRows).toBeGreaterThan(0);
    expect(chainFault(await reader.audit(0, 1_000_000), { seq: auditRows, hash: auditHead })).toBeNull();
    await reader.close();
    const before = committer.lines().length;
    await committer.until(before + 5);
    await committer.kill();
    await (await openSqliteLedger(options)).close();
  });
});
