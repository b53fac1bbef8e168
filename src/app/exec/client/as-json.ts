import { VERSION } from '../protocol.ts';
import type { RunResult } from './run-line.ts';

/**
 * What `--json` prints, in one line (docs/exec.md): never more than ASCII, so that nothing in it moves a
 * terminal.
 */
export function asJson({ command, data, error, out }: RunResult): string {
  const shape = {
    version: VERSION,
    ok: error === null,
    command,
    ...(error === null ? {} : { error }),
    ...data,
    ...(out === null ? {} : { out }),
  };
  return JSON.stringify(shape).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
