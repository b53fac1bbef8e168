import { defaultTreeAdapter as tree, parseFragment, type DefaultTreeAdapterTypes } from 'parse5';
import type { Incoming } from '../ports/chat.ts';
import { parsePermalink } from './values/permalink.ts';

const MAX_HTML = 8_000;
/** What a client's Markdown took out of what was typed. */
const MARKDOWN: Readonly<Record<string, string>> = { em: '_', i: '_', strong: '__', b: '__', del: '~~' };
const LINE_BREAKS = new Set(['p', 'br', 'div', 'li', 'pre', 'blockquote']);

/** The HTML as one would have typed it, each pill as the identifier it links to. */
function typedFrom(node: DefaultTreeAdapterTypes.Node): string {
  if (tree.isTextNode(node)) return node.value;
  if (!('childNodes' in node)) return '';
  if (tree.isElementNode(node) && node.tagName === 'a') {
    const href = node.attrs.find(({ name }) => name === 'href')?.value ?? '';
    const identifier = parsePermalink(href);
    if (identifier !== null) return identifier;
  }
  const inner = node.childNodes.map(typedFrom).join('');
  if (node.nodeName === 'br') return '\n';
  const mark = LINE_BREAKS.has(node.nodeName) ? '\n' : (MARKDOWN[node.nodeName] ?? '');
  return mark + inner + mark;
}

/**
 * The text as it was typed. A pill is replaced by the identifier it links to, not by its display name, which
 * anyone can choose. Without links the plain text is used.
 */
export function typedText(message: Pick<Incoming, 'body' | 'html' | 'isEdit'>): string {
  const { body, html, isEdit } = message;
  const hasLink = html !== null && html.length <= MAX_HTML && /<a\s/i.test(html);
  const text = hasLink ? typedFrom(parseFragment(html)).trim() : body;
  // An edit's fallback begins with an asterisk (spec, "Event replacements"); without it the refusal of edits
  // reaches its reader.
  const trimmed = (isEdit ? text.replace(/^\s*\* /, '') : text).trim();
  return /^`[^`]+`$/.test(trimmed) ? trimmed.slice(1, -1).trim() : trimmed;
}
