import { describe, expect, it } from 'vitest';
import { decideAndCommit } from '../../src/lifecycle/decide-and-commit.ts';
import type { Ledger } from '../../src/ports/ledger.ts';

/** A ledger of which nothing counts but what becomes of commits, one after the other. */
function committing(...outcomes: Awaited<ReturnType<Ledger['commit']>>[]) {
  const commits: unknown[] = [];
  const commit: Ledger['commit'] = async (change) => {
    commits.push(change);
    return outcomes.shift() ?? 'conflict';
  };
  return { ledger: { commit } as Ledger, commits };
}

describe('a decision', () => {
  const decision = (at: number) => async () => ({ change: { at }, value: at });

  it('is committed once, where nothing is in its way', async () => {
    const { ledger, commits } = committing('committed', 'committed');
    expect(await decideAndCommit(ledger, decision(1))).toEqual({ kind: 'done', value: 1 });
    expect(commits).toEqual([{ at: 1 }]);
  });

  it('is made again, on what the rows are then, where one has changed', async () => {
    const { ledger, commits } = committing('conflict', 'conflict', 'committed');
    let at = 0;
    expect(await decideAndCommit(ledger, async () => ({ change: { at: ++at }, value: at }))).toEqual({
      kind: 'done',
      value: 3,
    });
    expect(commits).toEqual([{ at: 1 }, { at: 2 }, { at: 3 }]);
  });

  it('of a command that was acted on before writes nothing more', async () => {
    const { ledger, commits } = committing('conflict', 'seen', 'committed');
    expect(await decideAndCommit(ledger, decision(1))).toEqual({ kind: 'seen' });
    expect(commits).toHaveLength(2);
  });

  it('to change nothing writes nothing', async () => {
    const { ledger, commits } = committing();
    expect(await decideAndCommit(ledger, async () => ({ change: null, value: 7 }))).toEqual({
      kind: 'done',
      value: 7,
    });
    expect(commits).toEqual([]);
  });

  it('is given up after ten times', async () => {
    const { ledger, commits } = committing();
    await expect(decideAndCommit(ledger, decision(1))).rejects.toMatchObject({ code: 'conflict' });
    expect(commits).toHaveLength(10);
  });
});
