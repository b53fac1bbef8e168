import { unreachable } from '../domain/errors.ts';
import { paragraph } from './build.ts';
import type { Block, Document } from './document.ts';

/**
 * Both renderings together. An event may have 65 536 bytes (spec, "Size limits"), Megolm's base64 takes a
 * third more than its plaintext, and the envelope needs room too.
 */
export const MAX_RENDERED_BYTES = 40_000;

function linesOf(block: Block): number {
  switch (block.kind) {
    case 'list':
      return Math.max(1, block.items.length);
    case 'table':
      return Math.max(1, block.rows.length);
    case 'paragraph':
    case 'block':
      return 1;
    default:
      return unreachable(block);
  }
}

function firstLines(block: Block, count: number): Block {
  switch (block.kind) {
    case 'list':
      return { ...block, items: block.items.slice(0, count) };
    case 'table':
      return { ...block, rows: block.rows.slice(0, count) };
    case 'paragraph':
    case 'block':
      return block;
    default:
      return unreachable(block);
  }
}

function kept(document: Document, count: number, total: number): Document {
  const blocks: Block[] = [];
  let left = count;
  for (const block of document) {
    if (left <= 0) break;
    blocks.push(firstLines(block, left));
    left -= linesOf(block);
  }
  const out = total - count;
  const what = out === 1 ? '1 more line was left out' : `${out} more lines were left out`;
  return [...blocks, paragraph([`… ${what}: too long for one message.`])];
}

/**
 * The document itself where it fits into one event, else as many of its lines as do, and how many were left
 * out.
 */
export function fitToSize(document: Document, size: (document: Document) => number): Document {
  if (size(document) <= MAX_RENDERED_BYTES) return document;
  const total = document.reduce((sum, block) => sum + linesOf(block), 0);
  let fits = 0;
  let tooMany = total;
  while (tooMany - fits > 1) {
    const middle = Math.floor((fits + tooMany) / 2);
    if (size(kept(document, middle, total)) <= MAX_RENDERED_BYTES) fits = middle;
    else tooMany = middle;
  }
  return kept(document, fits, total);
}
