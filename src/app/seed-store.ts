import { readFile } from 'node:fs/promises';
import type { Sealer } from '../ports/sealer.ts';
import { writePrivate } from './private-files.ts';

const ROW = 'cross-signing-seeds';

/** Keeps the bot's cross-signing seeds, sealed, in a file: with them a lost crypto store costs no trust. */
export function seedStore(
  file: string,
  sealer: Sealer,
): { load(): Promise<string | null>; save(secret: string): Promise<void> } {
  return {
    load: async () => {
      const sealed = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return null;
        throw error;
      });
      return sealed === null ? null : sealer.open(ROW, sealed.trim());
    },
    save: (secret) => writePrivate(file, `${sealer.seal(ROW, secret)}\n`),
  };
}
