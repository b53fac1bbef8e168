/**
 * Plain facts for a log line: ids, counts, kinds, durations. Never a token, a room's name or what someone
 * wrote.
 */
export type LogData = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** The log. `event` is a fixed phrase, so that lines can be counted and searched. */
export interface Log {
  debug(event: string, data?: LogData): void;
  info(event: string, data?: LogData): void;
  warn(event: string, data?: LogData): void;
  error(event: string, data?: LogData): void;
}
