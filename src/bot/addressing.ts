import { localpartOf, type UserId } from '../domain/ids.ts';
import { closest } from './closest.ts';
import type { Place } from './command-description.ts';

/** Whether a text speaks to us, and what it asks for. `line` is what follows the verb, untouched. */
export type Address =
  | { readonly kind: 'command'; readonly verb: string; readonly line: string }
  /** Speaks to us, but names no verb we have; `meant` is the nearest. */
  | { readonly kind: 'unknown'; readonly typed: string; readonly meant: string | null; readonly line: string }
  | { readonly kind: 'none' };

const BOT_NAMES = /^(?:mw|mintwarden)$/i;
/**
 * Words that people begin sentences with: without the `!` they are ours only where what follows has the
 * command’s form.
 */
const AMBIGUOUS_VERBS: ReadonlyMap<string, RegExp> = new Map([
  ['can', /^\s+\S+\s+(?:GET|PUT|POST|DELETE)\s+\S*\//i],
]);

/**
 * Whom a text speaks to. `!verb` is ours if the verb is, or nearly so; other bots' commands are left alone.
 * `!mw …`,
 * `!mintwarden …` and a text that begins with the bot's own id or pill are always ours. In a DM the `!` is
 * optional.
 * @param elsewhere verbs that belong to the other place: they address the bot here too
 */
export function parseAddress(
  text: string,
  place: Place,
  botUserId: UserId,
  verbs: readonly string[],
  elsewhere: readonly string[] = [],
): Address {
  const clean = text
    .replace(/\p{Cf}/gu, '')
    .trim()
    .replace(/^！/, '!');
  const named = stripMention(clean, botUserId);
  const [, bang = '', word = '', rest = ''] = /^(!?)(\S*)(.*)$/s.exec(named ?? clean) ?? [];
  if (named === null && bang === '!' && BOT_NAMES.test(word)) return parseAfterMention(rest.trim(), verbs);
  if (named !== null) return parseAfterMention(named, verbs);
  if (bang === '' && place === 'control') return { kind: 'none' };
  const verb = word.toLowerCase();
  if (bang === '' && AMBIGUOUS_VERBS.get(verb)?.test(rest) === false) return { kind: 'none' };
  if (verbs.includes(verb)) return { kind: 'command', verb, line: rest.trim() };
  if (bang === '!' && elsewhere.includes(verb))
    return { kind: 'unknown', typed: word, meant: null, line: rest.trim() };
  const meant = closest(verb, verbs);
  return bang === '!' && meant !== null
    ? { kind: 'unknown', typed: word, meant, line: rest.trim() }
    : { kind: 'none' };
}

function parseAfterMention(line: string, verbs: readonly string[]): Address {
  const [, word = '', rest = ''] = /^!?(\S*)(.*)$/s.exec(line) ?? [];
  const verb = word.toLowerCase();
  if (verb === '') return { kind: 'command', verb: 'help', line: '' };
  if (verbs.includes(verb)) return { kind: 'command', verb, line: rest.trim() };
  return { kind: 'unknown', typed: word, meant: closest(verb, verbs), line: rest.trim() };
}

/** What follows the bot's id or name at the beginning of the text; null where neither stands there. */
function stripMention(text: string, botUserId: UserId): string | null {
  for (const name of [botUserId, `@${localpartOf(botUserId)}`, localpartOf(botUserId)]) {
    if (!text.toLowerCase().startsWith(name.toLowerCase())) continue;
    const rest = text.slice(name.length);
    const bare = !name.startsWith('@');
    if (bare ? /^\s*[:,]/.test(rest) : rest === '' || /^[\s:,]/.test(rest))
      return rest.replace(/^\s*[:,]?\s*/, '');
  }
  return null;
}
