import { chmod, open, readFile, rename } from 'node:fs/promises';
import type { Sealer } from '../ports/sealer.ts';

const ROW = 'cross-signing-seeds';

/** Keeps the bot's cross-signing seeds, sealed, in a file: with them a lost crypto store costs no trust. */
export function seedStore(file: string, sealer: Sealer): { load(): Promise<string | null>; save(secret: string): Promise<void> } {
  return {
    load: async () => {
      const sealed = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return null;
        throw error;
      });
      return sealed === null ? null : sealer.open(ROW, sealed.trim());
    },
    save: async (secret) => {
      const temporary = `${file}.new`;
      await using handle = await open(temporary, 'w', 0o600);
      await chmod(temporary, 0o600);
      await handle.writeFile(`${sealer.seal(ROW, secret)}\n`);
      await handle.sync();
      await rename(temporary, file);
    },
  };
}
