import { MintwardenError } from '../domain/errors.ts';
import type { UserId } from '../domain/ids.ts';
import type { Incoming } from '../ports/chat.ts';
import { stripQuoteFallback } from './html/quote.ts';
import { saysTheSame } from './html/same-text.ts';
import { beginsWithQuote, readSegments, type Segment } from './html/segments.ts';
import { checkOtherLink, checkPill, touchesPill, type OtherLink } from './link-checks.ts';
import { parsePermalink } from './values/permalink.ts';

/** No command has more. Few tags can be made to unfold into very many elements. */
const MAX_HTML = 8_000;
const MAX_TAGS = 500;
/** Embedding, override and isolate: they make text look as if it stood in another order (Unicode UAX #9). */
const DIRECTIONS = /[\u202a-\u202e\u2066-\u2069]/u;

/** What was typed, and why it must not be acted on if it is a command; null where it may be. */
export type TypedText = { readonly text: string; readonly problem: MintwardenError | null };

/** What is known besides the message: unfinished ids are of our server; the bot's own pill addresses it. */
export type TypedTextContext = { readonly serverName: string; readonly botUserId: UserId };

type Message = Pick<Incoming, 'body' | 'html' | 'isEdit' | 'replyTo' | 'encryption'>;

/**
 * The text as it was typed. A pill is replaced by the identifier it links to, never by its text, which anyone can
 * choose; without pills the plain text is used. Nothing is acted on that does not say the same to those who see
 * its formatting, to those who do not, and to us.
 */
export function typedText(message: Message, context: TypedTextContext): TypedText {
  const { isEdit } = message;
  const html = message.html === null ? null : withoutLongQuote(message.html);
  const isReadable = html === null || isShort(html);
  const body = replyBody(message, isReadable ? html : null);
  if (!isReadable) return finish(body, TOO_LONG, isEdit);
  if (html === null || html.trim() === '') return finish(body, null, isEdit);
  const segments = readSegments(html, message.replyTo === null ? 'keep' : 'drop');
  if (segments === null) return finish(body, TOO_LONG, isEdit);
  const line = readLine(segments, context);
  const text = line.hasPill ? line.typed : body;
  const problem = line.problem ?? (saysTheSame(body, segments, parsePermalink) ? null : TWO_TEXTS);
  return finish(text, problem, isEdit);
}

function isShort(html: string): boolean {
  return html.length <= MAX_HTML && html.split('<', MAX_TAGS + 2).length <= MAX_TAGS + 1;
}

/** What is replied to may be long, and is not read anyway. */
function withoutLongQuote(html: string): string {
  const end = isShort(html) || !/^\s*<mx-reply>/i.test(html) ? -1 : html.lastIndexOf('</mx-reply>');
  return end === -1 ? html : `<mx-reply>${html.slice(end)}`;
}

/**
 * What a text replies to stands outside the ciphertext: a homeserver that adds it must not turn a quotation with
 * a command below it into the command.
 */
function replyBody({ body, replyTo, encryption }: Message, html: string | null): string {
  const isQuoted = replyTo !== null && (encryption === null || (html !== null && beginsWithQuote(html)));
  return isQuoted ? stripQuoteFallback(body) : body;
}

function readLine(
  segments: readonly Segment[],
  { serverName, botUserId }: TypedTextContext,
): { readonly typed: string; readonly hasPill: boolean; readonly problem: MintwardenError | null } {
  let [typed, seen] = ['', ''];
  let hasPill = false;
  const problems: (MintwardenError | null)[] = [];
  const others: OtherLink[] = [];
  segments.forEach((segment, index) => {
    const { target } = segment;
    const identifier = target === null || segment.isPicture ? null : parsePermalink(target);
    if (identifier === null) {
      if (target !== null)
        others.push({ target, text: segment.seen, from: seen.length, to: seen.length + segment.seen.length });
      typed += segment.typed;
      seen += segment.seen;
      return;
    }
    hasPill = true;
    if (identifier !== botUserId) problems.push(checkPill(identifier, segment.seen, serverName));
    const after = segments.slice(index + 1).find((each) => each.seen !== '')?.seen ?? '';
    if (touchesPill(seen, after)) problems.push(TOUCHING);
    typed += identifier;
    seen += identifier;
  });
  for (const link of others) problems.push(checkOtherLink(seen, link, serverName));
  return { typed, hasPill, problem: problems.find((each) => each !== null) ?? null };
}

function finish(typed: string, problem: MintwardenError | null, isEdit: boolean): TypedText {
  // An edit's fallback begins with an asterisk (spec, "Event replacements"); without it the refusal of edits
  // reaches its reader.
  const trimmed = (isEdit ? typed.trim().replace(/^\* /, '') : typed).trim();
  const text = /^`[^`]+`$/.test(trimmed) ? trimmed.slice(1, -1).trim() : trimmed;
  return { text, problem: problem ?? (DIRECTIONS.test(text) ? TURNED : null) };
}

const TOO_LONG = new MintwardenError(
  'usage',
  'That message has too much formatting to be a command.',
  'Send it as plain text.',
);
const TWO_TEXTS = new MintwardenError(
  'usage',
  'Your message says one thing with its formatting and another without it, so I did nothing.',
  'Send it again as plain text; in most clients, paste it without formatting.',
);
const TOUCHING = new MintwardenError(
  'usage',
  'Text stands directly beside a link, so it is unclear where the id ends.',
  'Put a space between them.',
);
const TURNED = new MintwardenError(
  'usage',
  'There are invisible characters in that line that make it look different from what it says.',
  'Type it instead of pasting it.',
);
