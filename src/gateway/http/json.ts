import { ambiguous, BAD_JSON, type GatewayResponse, matrixError } from './response.ts';

const MAX_DEPTH = 100;
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const NOT_JSON = matrixError(400, 'M_NOT_JSON', 'What is to be JSON is none.');

/** JSON that was read, in a box, so that no value of it can pass for a refusal. */
export type Parsed = { readonly value: unknown };

/**
 * Reads JSON from bytes: valid UTF-8, no key twice in one object, not nested absurdly deep, and nothing in it that
 * would not arrive as it was written: half a character, or a number too large.
 */
export function parseJsonBytes(bytes: Uint8Array): Parsed | GatewayResponse {
  try {
    return parseJson(UTF8.decode(bytes));
  } catch {
    return NOT_JSON;
  }
}

/**
 * As `parseJsonBytes`, from text. `JSON.parse` takes the last of two equal keys, others the first: such a
 * text is refused.
 */
export function parseJson(text: string): Parsed | GatewayResponse {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return NOT_JSON;
  }
  return shapeFault(text) ?? { value };
}

const TOO_DEEP = ambiguous('the JSON is nested too deep');
const KEY_TWICE = ambiguous('a JSON key is given twice');
/** JavaScript that cuts an emoji in two makes it. Homeservers answer 500, since it has no UTF-8. */
const HALF_A_CHARACTER = matrixError(
  400,
  BAD_JSON,
  'A text in the JSON has half of a character in it (a surrogate without its other half).',
);
/** `1e400` would become null, and a larger integer another one (spec 1.19, "Canonical JSON"). */
const NUMBER_TOO_LARGE = matrixError(
  400,
  BAD_JSON,
  'A number in the JSON is too large. Write it as a text, in quotation marks.',
);

/** Walks a text that is known to be JSON and looks at its keys, its escaped texts and its numbers. */
function shapeFault(text: string): GatewayResponse | null {
  if (!text.isWellFormed()) return HALF_A_CHARACTER;
  const open: (Set<string> | null)[] = [];
  const token = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]]|-?\d[\d.eE+-]*/g;
  const colon = /[ \t\n\r]*:/y;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const [found] = match;
    if (found === '{' || found === '[') {
      open.push(found === '{' ? new Set() : null);
      if (open.length > MAX_DEPTH) return TOO_DEEP;
    } else if (found === '}' || found === ']') open.pop();
    else if (!found.startsWith('"')) {
      if (!survives(found)) return NUMBER_TOO_LARGE;
    } else {
      if (SURROGATE.test(found) && !(JSON.parse(found) as string).isWellFormed()) return HALF_A_CHARACTER;
      const keys = open.at(-1);
      colon.lastIndex = token.lastIndex;
      if (!(keys instanceof Set) || !colon.test(text)) continue;
      const key = found.includes('\\') ? (JSON.parse(found) as string) : found.slice(1, -1);
      if (keys.has(key)) return KEY_TWICE;
      keys.add(key);
    }
  }
  return null;
}

/** An escaped one; others are in no text that was UTF-8. */
const SURROGATE = /\\u[dD][89a-fA-F]/;

/** Whether a number is the same after it was read and written again, but for digits behind its point. */
function survives(number: string): boolean {
  const read = Number(number);
  return Number.isFinite(read) && (Math.abs(read) <= Number.MAX_SAFE_INTEGER || /[.eE]/.test(number));
}
