import { existsSync, mkdtempSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createReserve } from '../../../src/app/disk/reserve.ts';
import { withWriteRetry } from '../../../src/app/disk/write-retry.ts';
import { MintwardenError } from '../../../src/domain/errors.ts';
import type { Committed } from '../../../src/domain/change.ts';
import type { Ledger } from '../../../src/ports/ledger.ts';

describe('the reserve', () => {
  test('takes its room at once, gives it up, takes it again', () => {
    const folder = mkdtempSync(join(tmpdir(), 'mintwarden-reserve-'));
    const reserve = createReserve(folder);
    const file = join(folder, 'reserve');
    const { size, blocks, mode } = statSync(file);
    // Bytes that a sparse file only promises would not be there when they are needed.
    expect(blocks * 512).toBeGreaterThanOrEqual(size);
    expect(mode & 0o077).toBe(0);
    reserve.release();
    expect(existsSync(file)).toBe(false);
    expect(reserve.restore()).toBe(true);
    expect(statSync(file).size).toBe(size);
  });
});

describe('a write that the disk does not take', () => {
  const full = new MintwardenError('state', 'The disk is full.');
  const ledger = (failures: MintwardenError[]): Pick<Ledger, 'commit' | 'use'> => {
    const commit = async (): Promise<Committed> => {
      const failure = failures.shift();
      if (failure !== undefined) throw failure;
      return 'committed';
    };
    return { commit, use: async () => 1 };
  };

  test('is tried once more when room was made', async () => {
    const made: string[] = [];
    const watched = withWriteRetry(ledger([full]), ({ message }) => made.push(message));
    expect(await watched.commit({ at: 0 })).toBe('committed');
    expect(made).toEqual(['The disk is full.']);
  });

  test('fails where even that did not help, and other errors pass', async () => {
    await expect(withWriteRetry(ledger([full, full]), () => undefined).commit({ at: 0 })).rejects.toBe(full);
    const other = new MintwardenError('internal', 'no');
    await expect(withWriteRetry(ledger([other]), () => expect.unreachable()).commit({ at: 0 })).rejects.toBe(
      other,
    );
  });
});
