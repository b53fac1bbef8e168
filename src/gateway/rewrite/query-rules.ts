import type { RoomId } from '../../domain/ids.ts';
import type { QueryRule } from '../catalogue/line.ts';
import { isAnswer } from '../answer.ts';
import { parseJson } from '../request/json.ts';
import { MAX_LIMIT, rebuiltEventFilter } from './event-filter.ts';

/** A pagination token: opaque, short, printable. */
export const token: QueryRule = (value) => (/^[\u0021-\u007e]{1,1024}$/.test(value) ? value : null);

/** A number of events, at most `MAX_LIMIT`. */
export const limit: QueryRule = (value) => (/^\d{1,9}$/.test(value) ? String(Math.min(Number(value), MAX_LIMIT)) : null);

/** One of these words. */
export function oneOf(...words: readonly string[]): QueryRule {
  return (value) => (words.includes(value) ? value : null);
}

/** A RoomEventFilter in JSON, as `/messages` and `/context` take it. */
export const eventFilter: QueryRule = (value, { access }) => {
  const parsed = parseJson(value);
  if (isAnswer(parsed)) return null;
  const rebuilt = rebuiltEventFilter(parsed.value, (room) => access.rooms.has(room as RoomId));
  return rebuilt === null ? null : JSON.stringify(rebuilt);
};
