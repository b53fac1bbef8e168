import { ambiguous, type GatewayResponse, matrixError } from './response.ts';

const MAX_DEPTH = 100;
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const NOT_JSON = matrixError(400, 'M_NOT_JSON', 'The body is not JSON.');

/** JSON that was read, in a box, so that no value of it can pass for a refusal. */
export type Parsed = { readonly value: unknown };

/** Reads JSON from bytes: valid UTF-8, no key twice in one object, not nested absurdly deep. */
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
  const fault = shapeFault(text);
  return fault === null ? { value } : ambiguous(fault);
}

/** Walks a text that is known to be JSON and looks at the keys alone. */
function shapeFault(text: string): string | null {
  const open: (Set<string> | null)[] = [];
  const token = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]]/g;
  const colon = /[ \t\n\r]*:/y;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const [found] = match;
    if (found === '{' || found === '[') {
      open.push(found === '{' ? new Set() : null);
      if (open.length > MAX_DEPTH) return 'the JSON is nested too deep';
    } else if (found === '}' || found === ']') open.pop();
    else {
      const keys = open.at(-1);
      colon.lastIndex = token.lastIndex;
      if (!(keys instanceof Set) || !colon.test(text)) continue;
      const key = found.includes('\\') ? (JSON.parse(found) as string) : found.slice(1, -1);
      if (keys.has(key)) return 'a JSON key is given twice';
      keys.add(key);
    }
  }
  return null;
}
