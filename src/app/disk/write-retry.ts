import { MintwardenError } from '../../domain/errors.ts';
import type { Ledger } from '../../ports/ledger.ts';

/**
 * The ledger, whose writes are tried once more after `onFailure` has made room, where the disk did not take
 * them.
 * @param onFailure hears what was wrong
 */
export function withWriteRetry<T extends Pick<Ledger, 'commit' | 'use'>>(
  ledger: T,
  onFailure: (error: MintwardenError) => void,
): T {
  const twice = async <R>(write: () => Promise<R>): Promise<R> => {
    try {
      return await write();
    } catch (error) {
      if (!(error instanceof MintwardenError) || error.code !== 'state') throw error;
      onFailure(error);
      return write();
    }
  };
  return {
    ...ledger,
    commit: (change) => twice(() => ledger.commit(change)),
    use: (id, most) => twice(() => ledger.use(id, most)),
  };
}
