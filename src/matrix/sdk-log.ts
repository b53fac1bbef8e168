import './suppress-sdk-warning.ts';
import { LogLevel, LogService } from 'matrix-bot-sdk';
import type { Log } from '../ports/log.ts';

/**
 * Sends matrix-bot-sdk's own log to ours: that something was said, by which part, and an error's code. What
 * it says is dropped, since it may quote requests, and its TRACE prints whole bodies.
 */
export function bridgeSdkLog(log: Log): void {
  const say =
    (write: Log['warn']) =>
    (module: string, ...said: unknown[]) => {
      write('matrix-bot-sdk reported something', {
        module,
        errcode: said.map(errcodeOf).find((code) => code !== null) ?? null,
      });
    };
  LogService.setLogger({
    trace: () => undefined,
    debug: () => undefined,
    info: say(log.debug.bind(log)),
    warn: say(log.warn.bind(log)),
    error: say(log.warn.bind(log)),
  });
  LogService.setLevel(LogLevel.INFO);
}

function errcodeOf(said: unknown): string | null {
  if (typeof said !== 'object' || said === null || !('errcode' in said)) return null;
  return typeof said.errcode === 'string' && /^M_[A-Z_]{1,60}$/.test(said.errcode) ? said.errcode : null;
}
