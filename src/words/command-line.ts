import { formatDuration } from '../domain/duration.ts';
import type { Grant } from '../domain/grant.ts';
import type { Scope } from '../domain/scope.ts';
import { safeInline } from './safe-text.ts';

/** One word of a command line, in quotation marks where the tokenizer needs them. */
export function quotedWord(text: string): string {
  const plain = safeInline(text).trim();
  if (plain !== '' && !/[\s"'“”„‟«»＂‘’‚‛`\\]|^[-\p{Pd}\u2212]/u.test(plain)) return plain;
  return `"${plain.replace(/["“”„‟«»＂`\\]/gu, "'")}"`;
}

/**
 * A room id that reads back as itself and nothing more: others' servers may put commas and dots into theirs.
 */
const ROOM_WORD = /^!(?:[A-Za-z0-9_-]{43}|[A-Za-z0-9._~=+-]+:[A-Za-z0-9.[\]:-]+)$/;

/** What a list would not give back as it was: `quotedWord` changes it, or the list is parted there. */
const ALTERED = /[,"“”„‟«»＂`\\]/u;

/** As many parts as a flag takes. */
export const MAX_ITEMS = 50;

/**
 * Well below what is cut in rendering: a line cut off would say less than it should, and be taken all the
 * same.
 */
const MAX_LINE = 2_000;

/** The command that makes a grant like this one, to copy; null where no line would surely make the same. */
export function mintLine(
  grant: Pick<Grant, 'subject' | 'minter' | 'recipient' | 'scope' | 'ttlMs' | 'reason'>,
): string | null {
  const { scope } = grant;
  const { rooms } = scope;
  if (rooms !== 'all' && !rooms.every((room) => ROOM_WORD.test(room))) return null;
  if (rooms.length === 0) return null;
  const lists = [scope.can, scope.by, scope.types, scope.from].filter((each) => each !== undefined);
  if (!lists.every(readsBack)) return null;
  const firewall = rulesWords(scope.rules ?? []);
  if (firewall === null || (scope.by !== undefined && rooms !== 'all')) return null;
  const words = ['!mint', grant.subject];
  if (scope.by === undefined) words.push('--rooms', rooms === 'all' ? 'all' : rooms.join(','));
  else words.push('--rooms-by', quotedWord(scope.by.join(',')));
  words.push(...(isReadAlone(scope) ? ['--read-only'] : ['--can', quotedWord(scope.can.join(','))]));
  if (scope.types !== undefined) words.push('--types', quotedWord(scope.types.join(',')));
  if (scope.power !== undefined) words.push(`--power=${scope.power}`);
  words.push(...firewall);
  if (scope.from !== undefined) words.push('--from', scope.from.join(','));
  if (scope.uses !== undefined) words.push('--uses', String(scope.uses));
  if (scope.followUpgrades === true) words.push('--follow-upgrades');
  words.push('--ttl', formatDuration(grant.ttlMs));
  if (grant.recipient !== grant.minter) words.push('--to', grant.recipient);
  if (grant.reason !== null) words.push('--reason', quotedWord(grant.reason));
  const text = words.join(' ');
  return text.length <= MAX_LINE ? text : null;
}

function isReadAlone({ can }: Scope): boolean {
  return can.length === 1 && can[0] === 'read';
}

/** One list, denials before what is allowed: what the flags can say. Null: anything else. */
function rulesWords(lists: NonNullable<Scope['rules']>): readonly string[] | null {
  const [rules = [], ...more] = lists;
  const verdicts = rules.map((rule) => rule.verdict);
  const isInOrder = !verdicts.includes('allow') || verdicts.lastIndexOf('deny') < verdicts.indexOf('allow');
  if (more.length > 0 || !isInOrder || (rules.length > 0 && !readsBack(rules.map((rule) => rule.on))))
    return null;
  return (['deny', 'allow'] as const).flatMap((verdict) => {
    const on = rules.filter((rule) => rule.verdict === verdict).map((rule) => rule.on);
    return on.length === 0 ? [] : [`--${verdict}`, quotedWord(on.join(','))];
  });
}

/** Whether a list, written with commas, is read as the same list. */
function readsBack(items: readonly string[]): boolean {
  return (
    items.length > 0 &&
    items.length <= MAX_ITEMS &&
    items.every((item) => !ALTERED.test(item) && safeInline(item) === item)
  );
}
