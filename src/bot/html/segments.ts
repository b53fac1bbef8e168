import { defaultTreeAdapter as tree, parseFragment, type DefaultTreeAdapterTypes } from 'parse5';

/**
 * A piece of a message. `typed`: as it was typed, with the marks that a client's Markdown took out; `seen`: as
 * it is displayed. `target`: where it links to, or the address of a picture whose description it is.
 */
export type Segment = {
  readonly typed: string;
  readonly seen: string;
  readonly target: string | null;
  readonly isPicture: boolean;
};

/** What a client's Markdown took out of what was typed. */
const MARKDOWN: Readonly<Record<string, string>> = { em: '_', i: '_', strong: '__', b: '__', del: '~~' };
const LINE_BREAKS = new Set(['p', 'br', 'div', 'li', 'pre', 'blockquote']);
/** Elements whose content no client shows. */
const HIDDEN = new Set([
  'iframe',
  'noembed',
  'noframes',
  'noscript',
  'option',
  'script',
  'style',
  'textarea',
  'title',
]);

/** Deeper than clients show (Client-Server API, `m.room.message` msgtypes: "limit the depth to 100"). */
const MAX_DEPTH = 100;

/**
 * The pieces of a message in their order; null where it is nested too deeply.
 * @param quote whether what it replies to is left out
 */
export function readSegments(html: string, quote: 'keep' | 'drop'): readonly Segment[] | null {
  const nodes = parseFragment(html).childNodes;
  const start = quote === 'drop' ? firstVisible(nodes) : -1;
  const isQuote = nodes[start]?.nodeName === 'mx-reply';
  const shown = isQuote ? nodes.slice(start + 1) : nodes;
  return shown.some((node) => depthExceeds(node, MAX_DEPTH)) ? null : shown.flatMap(read);
}

/**
 * Whether it begins with what it replies to (Client-Server API before 1.13, "Fallbacks for rich replies").
 */
export function beginsWithQuote(html: string): boolean {
  const nodes = parseFragment(html).childNodes;
  return nodes[firstVisible(nodes)]?.nodeName === 'mx-reply';
}

function firstVisible(nodes: readonly DefaultTreeAdapterTypes.ChildNode[]): number {
  return nodes.findIndex((node) => !tree.isTextNode(node) || node.value.trim() !== '');
}

function depthExceeds(node: DefaultTreeAdapterTypes.Node, left: number): boolean {
  if (left === 0) return true;
  return 'childNodes' in node && node.childNodes.some((child) => depthExceeds(child, left - 1));
}

function read(node: DefaultTreeAdapterTypes.Node): Segment[] {
  if (tree.isTextNode(node)) return [text(node.value)];
  if (!tree.isElementNode(node) || HIDDEN.has(node.tagName)) return [];
  if (node.tagName === 'br') return [text('\n')];
  if (node.tagName === 'img') return picture(node);
  const inner = node.childNodes.flatMap(read);
  const target = node.tagName === 'a' ? attribute(node, 'href') : null;
  if (target !== null)
    return [{ typed: joined(inner, 'typed'), seen: joined(inner, 'seen'), target, isPicture: false }];
  if (LINE_BREAKS.has(node.tagName)) return [text('\n'), ...inner, text('\n')];
  const mark = MARKDOWN[node.tagName];
  return mark === undefined ? inner : [{ ...text(''), typed: mark }, ...inner, { ...text(''), typed: mark }];
}

/** A client writes the description into the plain text; who reads the HTML sees the picture. */
function picture(node: DefaultTreeAdapterTypes.Element): Segment[] {
  const seen = attribute(node, 'alt') ?? '';
  return [{ typed: '', seen, target: attribute(node, 'src') ?? '', isPicture: true }];
}

function text(value: string): Segment {
  return { typed: value, seen: value, target: null, isPicture: false };
}

function attribute(node: DefaultTreeAdapterTypes.Element, wanted: string): string | null {
  return node.attrs.find(({ name }) => name === wanted)?.value ?? null;
}

function joined(segments: readonly Segment[], key: 'typed' | 'seen'): string {
  return segments.map((segment) => segment[key]).join('');
}
