import type { DataRule } from '../shapes/rule.ts';
import { MAX_DEPTH } from './content.ts';
import { CLOSE_OBJECT, COMMA, QUOTE, type Scanner } from './scanner.ts';
import type { Skip } from './skip.ts';

const TYPE = Buffer.from('"type"');
/** Push rules are a few hundred bytes each. */
const MAX_BYTES = 262_144;

/**
 * Account data that may be read, as it is: what a reader of JSON would make of it is asked when the rooms in
 * scope are known. Null where it is not shown, or larger than is kept.
 */
export function keptData(rule: DataRule, scan: Scanner, skip: Skip, bytesLeft: number): Buffer | null {
  const start = scan.pos;
  skip.whole();
  const { pos } = scan;
  if (pos - start > Math.min(MAX_BYTES, bytesLeft) || skip.deepest > MAX_DEPTH) return null;
  const type = plainType(start, scan, skip);
  scan.pos = pos;
  return type !== null && !rule.mayRead(type) ? null : Buffer.from(scan.buf.subarray(start, pos));
}

/** The `type` of an object that is known to be JSON; null where readers could disagree about it. */
function plainType(start: number, scan: Scanner, skip: Skip): string | null {
  let type: string | null = null;
  scan.pos = start + 1;
  for (let byte = scan.space(); byte !== CLOSE_OBJECT; byte = scan.space()) {
    if (byte === COMMA) {
      scan.pos++;
      scan.space();
    }
    const key = scan.pos;
    scan.string();
    const isType = scan.pos - key === TYPE.length && scan.has(TYPE, key);
    if (scan.isEscaped || (isType && type !== null)) return null;
    const isText = scan.colon() === QUOTE;
    const at = scan.pos;
    skip.whole();
    if (isType) type = isText ? scan.value(at, scan.pos) : '';
  }
  return type;
}
