import { writeSync } from 'node:fs';
import { EngineError } from './errors.ts';

/** EX_IOERR of sysexits.h. */
const INPUT_OUTPUT_ERROR = 74;

/**
 * The default `onFatal`: at once, since any later message could repeat a message key after the next start.
 * Written synchronously, or the line would be lost.
 */
export function stopProcess(error: EngineError): void {
  try {
    writeSync(2, `mintwarden: ${error.message} ${error.nextStep}\n`);
  } finally {
    process.exit(INPUT_OUTPUT_ERROR);
  }
}

export function writeFailed(cause: unknown): EngineError {
  return new EngineError(
    'store-write-failed',
    'The encryption state could not be written to disk.',
    'Make room on the disk or repair it, then start again; nothing was sent since.',
    { cause },
  );
}
