import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Log, LogData } from '../../src/ports/log.ts';

/** A folder for one test, gone after it: `await using scratch = await scratchFolder()`. */
export async function scratchFolder(): Promise<
  { readonly folder: string; readonly file: string } & AsyncDisposable
> {
  const folder = await mkdtemp(join(tmpdir(), 'mintwarden-store-'));
  return {
    folder,
    file: join(folder, 'ledger.sqlite'),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** A log that keeps its lines. */
export function keptLog(): Log & { readonly lines: { level: string; event: string; data: LogData }[] } {
  const lines: { level: string; event: string; data: LogData }[] = [];
  const at =
    (level: string) =>
    (event: string, data: LogData = {}) => {
      lines.push({ level, event, data });
    };
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
