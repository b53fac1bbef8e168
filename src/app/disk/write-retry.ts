import { MintwardenError } from '../../domain/errors.ts';
import type { Ledger } from '../../ports/ledger.ts';

/**
 * The ledger with its failed writes retried once, after `onFailure` has freed space.
 * @param onFailure called with the error of the first attempt
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
