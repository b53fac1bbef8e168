import type { TextRule } from '../shapes/rule.ts';
import { type CompiledRule, OPS } from './compile.ts';
import type { Output } from './output.ts';
import { CLOSE_LIST, COMMA, OPEN_LIST, QUOTE, type Scanner } from './scanner.ts';
import type { Skip } from './skip.ts';
import { OTHER_TYPE, SHOWN, type Status } from './status.ts';

/** What is between two dots or without any: so a number is read by everyone as the same whole number. */
const MAX_DIGITS = 15;
const DOT = 0x2e;

/** Passes on a string, a whole number, a truth value or a list of strings, at the scanner's position. */
export function passSimple(rule: CompiledRule, scan: Scanner, out: Output, skip: Skip): Status {
  const start = scan.pos;
  const byte = scan.buf[start] as number;
  if (rule.op === OPS.text && byte === QUOTE) {
    scan.string();
    if (typeof rule.rule !== 'string' && !(rule.rule as TextRule).test(scan.value(start, scan.pos)))
      return OTHER_TYPE;
  } else if (rule.op === OPS.count && (byte === 0x2d || (byte >= 0x30 && byte <= 0x39))) {
    scan.number();
    return passCount(start, scan, out);
  } else if (rule.op === OPS.flag && (byte === 0x74 || byte === 0x66)) scan.literal();
  else {
    skip.whole();
    if (rule.op !== OPS.texts || byte !== OPEN_LIST || !isTexts(start, scan)) return OTHER_TYPE;
  }
  out.span(start, scan.pos);
  return SHOWN;
}

function passCount(start: number, scan: Scanner, out: Output): Status {
  const { pos, buf } = scan;
  let isPlain = pos - start <= MAX_DIGITS && !scan.isOddNumber;
  for (let at = start; isPlain && at < pos; at++) isPlain = buf[at] !== DOT;
  if (isPlain) {
    out.span(start, pos);
    return SHOWN;
  }
  const value = Number(scan.text(start, pos));
  if (!Number.isSafeInteger(value)) return OTHER_TYPE;
  out.bytes(Buffer.from(JSON.stringify(value)));
  return SHOWN;
}

/** Whether a list, which was read and is JSON, has strings alone. */
function isTexts(start: number, scan: Scanner): boolean {
  const { pos } = scan;
  scan.pos = start + 1;
  let byte = scan.space();
  while (byte === QUOTE || byte === COMMA) {
    if (byte === QUOTE) scan.string();
    else scan.pos++;
    byte = scan.space();
  }
  scan.pos = pos;
  return byte === CLOSE_LIST;
}
