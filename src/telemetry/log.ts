import { pino, type DestinationStream } from 'pino';
import type { Log, LogData } from '../ports/log.ts';
import { scrub, scrubText } from './scrub.ts';
import { batchWrites } from './batched-writes.ts';

/** How much is logged. `silent`: nothing. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/**
 * The log, to stderr. One JSON object a line, or with `pretty` a line for people. The lines of one turn of the
 * event loop are written together at its end; a warning or an error at once, with the lines before it. So
 * `kill -9` loses at most the lines of the current turn. Everything goes through `scrub`.
 */
export function createLog(
  options: { readonly level: LogLevel; readonly pretty: boolean },
  to?: DestinationStream,
): Log {
  const sink =
    to === undefined
      ? batchWrites(pino.destination({ dest: 2, sync: true }))
      : { write: to.write.bind(to), flush: () => undefined };
  const lines = pino(
    {
      level: options.level,
      base: null,
      messageKey: 'event',
      timestamp: timestamps(),
      formatters: { level: (level) => ({ level }) },
    },
    options.pretty ? { write: (line: string) => sink.write(prettyLine(line)) } : sink,
  );
  const at = (level: 'debug' | 'info' | 'warn' | 'error') => (event: string, data?: LogData) => {
    if (!lines.isLevelEnabled(level)) return;
    lines[level](scrub(data ?? {}), scrubText(event));
    if (level === 'warn' || level === 'error') sink.flush();
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** The time as it stands in a line, written once for all lines of the same millisecond. */
function timestamps(): () => string {
  let at = 0;
  let text = '';
  return () => {
    const now = Date.now();
    if (now !== at) text = `,"at":"${new Date(now).toISOString()}"`;
    at = now;
    return text;
  };
}

function prettyLine(line: string): string {
  const { level, at, event, ...data } = JSON.parse(line) as Record<string, unknown>;
  const facts = Object.entries(data).map(
    ([name, value]) =>
      ` ${name}=${typeof value === 'string' && /^[\w@:.!#$/-]+$/.test(value) ? value : JSON.stringify(value)}`,
  );
  const escaped = JSON.stringify(event).slice(1, -1);
  return `${String(at)} ${String(level).padEnd(5)} ${escaped}${facts.join('')}\n`;
}
