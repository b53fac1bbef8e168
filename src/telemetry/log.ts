import sonicBoom from 'sonic-boom';
import type { Log, LogData } from '../ports/log.ts';
import { batchWrites, type LineSink } from './batched-writes.ts';
import { isSecretName, scrubText, scrubValue } from './scrub.ts';

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
type Level = (typeof LEVELS)[number];

/** How much is logged. `silent`: nothing. */
export type LogLevel = Level | 'silent';

/**
 * The log, to stderr. One JSON object a line, or with `pretty` a line for people. The lines of one turn of the
 * event loop are written together at its end; a warning or an error at once, with the lines before it. So
 * `kill -9` loses at most the lines of the current turn. Everything goes through `scrub.ts`.
 */
export function createLog(
  options: { readonly level: LogLevel; readonly pretty: boolean },
  to?: LineSink,
): Log {
  const sink =
    to === undefined ? batchWrites(standardError()) : { write: to.write.bind(to), flush: () => undefined };
  const timestamp = timestamps();
  const field = fields();
  const at = (level: Level): Log[Level] => {
    if (options.level === 'silent' || LEVELS.indexOf(level) < LEVELS.indexOf(options.level))
      return () => undefined;
    return (event, data) => {
      let line = `{"level":"${level}","at":"${timestamp()}"`;
      for (const name in data) line += field(name, data[name]);
      line += `,"event":${quoted(scrubText(event))}}\n`;
      sink.write(options.pretty ? prettyLine(line) : line);
      if (level === 'warn' || level === 'error') sink.flush();
    };
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** What is kept at most while nothing can be written; newer lines are then dropped. */
const MAX_UNWRITTEN_BYTES = 1_048_576;

/** A log that nobody reads any more, or a full disk, must not stop the service. */
function standardError(): LineSink {
  const stream = new sonicBoom.SonicBoom({ fd: 2, sync: true, maxLength: MAX_UNWRITTEN_BYTES });
  stream.on('error', () => undefined);
  return stream;
}

const MAX_NAMES = 500;

/** Writes fields. Names are few, so what is found about one is remembered. */
function fields(): (name: string, value: LogData[string]) => string {
  const names = new Map<string, FieldName>();
  return (name, value) => {
    if (value === undefined) return '';
    const known = names.get(name) ?? fieldName(name);
    if (known.isHarmless && names.size < MAX_NAMES) names.set(name, known);
    return known.start + quoted(scrubValue(value, known.isSecret));
  };
}

type FieldName = {
  readonly start: string;
  /** Values under this name are hidden. */
  readonly isSecret: boolean;
  /** The name itself holds no secret. */
  readonly isHarmless: boolean;
};

function fieldName(name: string): FieldName {
  const shown = scrubText(name);
  return { start: `,${JSON.stringify(shown)}:`, isSecret: isSecretName(name), isHarmless: shown === name };
}

const NEEDS_NO_ESCAPE = /^[A-Za-z0-9]*$/;

function quoted(value: LogData[string]): string {
  if (typeof value === 'string') return NEEDS_NO_ESCAPE.test(value) ? `"${value}"` : JSON.stringify(value);
  return typeof value === 'number' && !Number.isFinite(value) ? 'null' : String(value);
}

/** The time as it stands in a line, written once for all lines of the same millisecond. */
function timestamps(): () => string {
  let at = 0;
  let text = '';
  return () => {
    const now = Date.now();
    if (now !== at) text = new Date(now).toISOString();
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
