import { unreachable } from '../domain/errors.ts';
import type { Block, Document, Inline, Line } from './document.ts';
import { fitToSize } from './fit.ts';
import { safeBlock, safeInline, shortened, unlinked } from './safe-text.ts';

const MAX_PIECE = 4_000;
const MAX_BLOCK = 8_000;
const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text for HTML, between tags or in an attribute. */
function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

function inlineText(text: string): string {
  return shortened(safeInline(text), MAX_PIECE);
}

/** Text to be read, in which only our own pills are links to people; code stays as it was, to be copied. */
function prose(text: string): string {
  return unlinked(inlineText(text));
}

function blockText(text: string): string {
  return shortened(safeBlock(text), MAX_BLOCK);
}

function htmlInline(inline: Inline): string {
  if (typeof inline === 'string') return escapeHtml(prose(inline));
  switch (inline.kind) {
    case 'strong':
      return `<strong>${escapeHtml(prose(inline.text))}</strong>`;
    case 'code':
      return `<code>${escapeHtml(inlineText(inline.text))}</code>`;
    case 'pill':
      return `<a href="https://matrix.to/#/${escapeHtml(encodeURIComponent(inline.userId))}">${escapeHtml(inlineText(inline.userId))}</a>`;
    default:
      return unreachable(inline);
  }
}

function textInline(inline: Inline): string {
  if (typeof inline === 'string') return prose(inline);
  switch (inline.kind) {
    case 'strong':
      return prose(inline.text);
    case 'code':
      return `\`${inlineText(inline.text)}\``;
    case 'pill':
      return inlineText(inline.userId);
    default:
      return unreachable(inline);
  }
}

function htmlLine(line: Line): string {
  return line.map(htmlInline).join('');
}

/** One line as plain text, for places that know no HTML. */
export function lineToText(line: Line): string {
  return line.map(textInline).join('').replace(/ {2,}/g, ' ').trim();
}

function htmlBlock(block: Block): string {
  switch (block.kind) {
    case 'paragraph':
      return `<p>${htmlLine(block.line)}</p>`;
    case 'list':
      return `<ul>${block.items.map((item) => `<li>${htmlLine(item)}</li>`).join('')}</ul>`;
    case 'block':
      return `<pre><code>${escapeHtml(blockText(block.text))}</code></pre>`;
    case 'table': {
      const head = block.head.map((cell) => `<th>${escapeHtml(inlineText(cell))}</th>`).join('');
      const rows = block.rows
        .map((row) => `<tr>${row.map((cell) => `<td>${htmlLine(cell)}</td>`).join('')}</tr>`)
        .join('');
      return `<table><thead><tr>${head}</tr></thead><tbody>${rows}</tbody></table>`;
    }
    default:
      return unreachable(block);
  }
}

function textBlock(block: Block): string {
  switch (block.kind) {
    case 'paragraph':
      return lineToText(block.line);
    case 'list':
      return block.items.map((item) => `- ${lineToText(item)}`).join('\n');
    case 'block':
      return blockText(block.text);
    case 'table':
      return [
        block.head.map(inlineText).join(' | '),
        ...block.rows.map((row) => row.map(lineToText).join(' | ')),
      ].join('\n');
    default:
      return unreachable(block);
  }
}

function wholeHtml(document: Document): string {
  return document.map(htmlBlock).join('');
}

function wholeText(document: Document): string {
  return document.map(textBlock).join('\n\n');
}

/** The bytes that both renderings take in an event's JSON. */
function size(document: Document): number {
  return Buffer.byteLength(JSON.stringify([wholeHtml(document), wholeText(document)]));
}

/**
 * The document as Matrix HTML: only tags that the specification permits in `org.matrix.custom.html`
 * (Client-Server API, "m.room.message msgtypes"), all text escaped. Cut to fit into one event, as `toText`
 * is.
 */
export function toHtml(document: Document): string {
  return wholeHtml(fitToSize(document, size));
}

/** The document as plain text, saying the same as `toHtml`. */
export function toText(document: Document): string {
  return wholeText(fitToSize(document, size));
}
