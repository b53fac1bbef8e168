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
/** The same for what is too short for one. */
const SHORT = /^[A-Za-z0-9]{0,19}$/;

/** A text without anything that looks like a credential. */
export function scrubText(text: string): string {
  if (SHORT.test(text) || PLAIN.test(text)) return text;
  return text.replace(TOKENS, HIDDEN).replace(BEARER, `$1 ${HIDDEN}`).replace(NAMED, `$1${HIDDEN}`);
}

/** Whether what stands under a name is hidden, whatever it looks like. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

/** A value without anything that looks like a credential. What is not flat is dropped. */
export function scrubValue(value: unknown, isSecret: boolean): LogData[string] {
  if (value === null || value === undefined || typeof value === 'boolean' || typeof value === 'number')
    return value;
  if (isSecret) return HIDDEN;
  return typeof value === 'string' ? scrubText(value) : '[not a plain value]';
}
