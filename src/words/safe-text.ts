/** Control characters and every kind of line break or odd space: what could start a new line of "ours". */
const BREAKS = /[\p{Cc}\p{Zl}\p{Zp}]/gu;
/**
 * What changes how other text looks or cannot be seen at all: bidirectional overrides, zero-width characters,
 * tags, blank fillers, variation selectors (Unicode TR 36, "Bidirectional Text Spoofing").
 */
const UNSEEN = /[\p{Cf}\p{Co}\p{Default_Ignorable_Code_Point}\u2800]/gu;
const STACKED_MARKS = /(\p{M}{3})\p{M}+/gu;
/** The legacy mention of everybody in a room (push rule `.m.rule.roomnotif`), by keyword in the body. */
const EVERYBODY = /@(?=room(?![\p{L}\p{N}_]))/giu;

function visible(text: string): string {
  return text.toWellFormed().replace(UNSEEN, '').replace(STACKED_MARKS, '$1').replace(EVERYBODY, '＠');
}

/** Any text as a part of one line: no breaks, nothing unseen, no mention of everybody. */
export function safeInline(text: string): string {
  return visible(text.replace(BREAKS, ' ').replace(/\s+/gu, ' '));
}

/** Any text as a block: its line feeds stay. */
export function safeBlock(text: string): string {
  const lines = text.split(/\r\n|\n/);
  return lines.map((each) => visible(each.replace(BREAKS, ' '))).join('\n');
}

/** At most `max` characters; what was cut shows as `…`. Never cuts a character in half. */
export function shortened(text: string, max: number): string {
  const characters = Array.from(text);
  return characters.length <= max ? text : `${characters.slice(0, max - 1).join('')}…`;
}

/** Text in which clients find no link that they would turn into a person's pill. */
export function unlinked(text: string): string {
  return text.replace(/matrix\.to\/(?=#)/giu, 'matrix.to/ ').replace(/\bmatrix:(?=\S)/giu, 'matrix: ');
}

/** What makes an address of text: the colon of a scheme or an id, the dot of a domain or an IP address. */
const COLONS = /(?<=(?:\p{L}[\p{L}\p{N}+.-]*|[@#!$+][^\s:]+))[:：](?=\S)/gu;
const DOTS = /(?<=[\p{L}\p{N}\p{M}_-])[.。．｡](?=\p{L}{2})/gu;
const IP = /(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.]*\d)/gu;

/**
 * Text in which no client finds an address to click: `https[:]//evil[.]example`, as those write who warn of one.
 * Many clients make links of bare domains too.
 */
export function unclickable(text: string): string {
  return text
    .replace(COLONS, '[:]')
    .replace(DOTS, '[.]')
    .replace(IP, (address) => address.replaceAll('.', '[.]'));
}

/**
 * Whatever looks like our quotation marks, two single ones side by side included, or like the marks of a line
 * to copy.
 */
const MARKS =
  /["`\u00ab\u00bb\u02ba\u02dd\u02ee\u05f4\u1cd3\u2033\u2034\u2036\u2037\u201c-\u201f\u2057\u275d\u275e\u2760\u301d-\u301f\uff02\u{1f676}-\u{1f678}]|['\u02b9\u02bc\u05f3\u2018-\u201b\u2032\u2035\uff07]{2,}/gu;

function withoutMarks(text: string): string {
  return safeInline(text).trim().replace(MARKS, "'");
}

/** An id or a value as it stands, in quotation marks it cannot close. */
export function quoted(text: string, max = 300): string {
  return `“${shortened(unlinked(withoutMarks(text)), max)}”`;
}

/**
 * What somebody else wrote (a reason, a room's name), in quotation marks it cannot close and with nothing to
 * click: what stands in a message of ours looks official.
 */
export function quotedWords(text: string, max = 300): string {
  return `“${shortened(unclickable(withoutMarks(text)), max)}”`;
}
