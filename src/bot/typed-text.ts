import type { Incoming } from '../ports/chat.ts';
import { parsePermalink } from './values/permalink.ts';

const MAX_HTML = 8_000;
const PIECES = /<(?:"[^"]*"|'[^']*'|[^'"<>])*>|[^<]+|</g;
const NAMED: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' };
/** Marks that a client's Markdown took out of what was typed. */
const MARKS: Record<string, string> = { em: '_', i: '_', strong: '__', b: '__', code: '', del: '~~' };

function unescaped(text: string): string {
  return text.replace(
    /&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|([a-z]{2,8}));/gi,
    (whole, hex?: string, decimal?: string, name?: string) => {
      if (name !== undefined) return NAMED[name.toLowerCase()] ?? whole;
      const point = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
      return point > 0 && point <= 0x10ffff && (point < 0xd800 || point > 0xdfff)
        ? String.fromCodePoint(point)
        : '';
    },
  );
}

/** The identifier in an opening link tag, or null. */
function linked(tag: string): string | null {
  const href = /\shref\s*=\s*(?:"([^"]*)"|'([^']*)')/i.exec(tag);
  return href === null ? null : parsePermalink(unescaped(href[1] ?? href[2] ?? ''));
}

/** The HTML as one would have typed it, each pill as the identifier it links to. */
function typedFrom(html: string): string {
  let out = '';
  let pill = false;
  for (const [piece] of html.matchAll(PIECES)) {
    const tag = /^<(\/?)([a-z][a-z0-9-]*)/i.exec(piece);
    if (tag === null) {
      if (!pill) out += unescaped(piece);
      continue;
    }
    const name = (tag[2] ?? '').toLowerCase();
    if (name === 'a') {
      const identifier = tag[1] === '/' ? null : linked(piece);
      pill = identifier !== null;
      out += identifier ?? '';
    } else if (/^(?:p|br|div|li|pre|blockquote)$/.test(name)) {
      out += '\n';
    } else if (!pill) {
      out += MARKS[name] ?? '';
    }
  }
  return out.trim();
}

/**
 * What was typed. A pill's link counts, not the display name that stands for it in the plain text: anybody
 * can choose any name. Without such links the plain text counts.
 */
export function typedText(message: Pick<Incoming, 'body' | 'html' | 'isEdit'>): string {
  const { body, html, isEdit } = message;
  const text = html !== null && html.length <= MAX_HTML && /<a\s/i.test(html) ? typedFrom(html) : body;
  // An edit's fallback begins with an asterisk (spec, "Event replacements"); without it the refusal of edits
  // finds its reader.
  const trimmed = (isEdit ? text.replace(/^\s*\* /, '') : text).trim();
  return /^`[^`]+`$/.test(trimmed) ? trimmed.slice(1, -1).trim() : trimmed;
}
