import type { LogData } from '../ports/log.ts';

const HIDDEN = '[hidden]';

/**
 * Prefixes of access tokens: ours, Synapse's (and its refresh tokens), the Matrix Authentication Service's,
 * old macaroons.
 */
const TOKENS = /(?:mwt|syt|syr|syl|mpt|mat|mar|mct|mcr)_[\w.~+/=-]{6,}|MDAx[\w+/=-]{16,}/gi;
const BEARER = /\b(bearer|basic)(\s+|%20|\+)[^\s"',;]+/gi;
/** `access_token=…`, `"password": "…"`, `secret: …` and their like inside a text. */
const NAMED =
  /((?:token|secret|password|passphrase|authorization|cookie|(?:api|sealing|private)[_-]?key|seed)["']?\s*(?:=|:|%3d)\s*)(?:"(?:\\.|[^"\\])*"|'[^']*'|[^\s&"',;}]+)/gi;
const SECRET_NAME =
  /token|secret|password|passphrase|authorization|cookie|seed|sealed|(?:^|_|api|sealing|private)key$/i;

/** Letters and digits alone hold no credential that we know, but for what could be an old macaroon. */
const PLAIN = /^(?!.*MDAx)[A-Za-z0-9]*$/i;

/** A text without anything that looks like a credential. */
export function scrubText(text: string): string {
  if (PLAIN.test(text)) return text;
  return text.replace(TOKENS, HIDDEN).replace(BEARER, `$1 ${HIDDEN}`).replace(NAMED, `$1${HIDDEN}`);
}

/**
 * Log data without credentials: by the name of the field, and by the look of the value. What is not flat is
 * dropped.
 */
export function scrub(data: LogData): LogData {
  const shown: Record<string, LogData[string]> = {};
  for (const [name, value] of Object.entries(data)) shown[scrubText(name)] = scrubValue(name, value);
  return shown;
}

function scrubValue(name: string, value: unknown): LogData[string] {
  if (value === null || value === undefined || typeof value === 'boolean' || typeof value === 'number')
    return value;
  if (SECRET_NAME.test(name)) return HIDDEN;
  return typeof value === 'string' ? scrubText(value) : '[not a plain value]';
}
