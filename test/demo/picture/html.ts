/** A piece of a line in one style. */
export interface Run {
  text: string;
  style: 'plain' | 'strong' | 'code' | 'pill';
}

/** A paragraph or an item of a list. */
export interface Paragraph {
  bullet: boolean;
  runs: Run[];
}

const STYLES: Readonly<Record<string, Run['style']>> = { strong: 'strong', code: 'code', a: 'pill' };
const ENTITIES: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
};

/**
 * The HTML of the bot's messages, which has few tags and no attributes that matter, as paragraphs. Replies'
 * quotations are left out.
 */
export function paragraphsOf(html: string): Paragraph[] {
  const paragraphs: Paragraph[] = [];
  let style: Run['style'] = 'plain';
  let open: Paragraph | null = null;
  for (const [piece] of html.replace(/^<mx-reply>.*?<\/mx-reply>/s, '').matchAll(/<[^>]*>|[^<]+/g)) {
    const [, closing, tag = ''] = /^<(\/?)([a-z]+)/.exec(piece) ?? [];
    if (tag === 'p' || tag === 'li') open = null;
    if ((tag === 'p' || tag === 'li') && closing === '')
      paragraphs.push((open = { bullet: tag === 'li', runs: [] }));
    if (tag in STYLES) style = closing === '' ? (STYLES[tag] ?? 'plain') : 'plain';
    if (piece.startsWith('<')) continue;
    if (open === null) paragraphs.push((open = { bullet: false, runs: [] }));
    open.runs.push({
      text: piece.replaceAll(/&[a-z#0-9]+;/g, (entity) => ENTITIES[entity] ?? entity),
      style,
    });
  }
  return paragraphs.filter(({ runs }) => runs.length > 0);
}
