import { MintwardenError } from '../domain/errors.ts';
import type { RoomAlias, RoomId, UserId } from '../domain/ids.ts';
import { quoted, quotedWords } from '../words/safe-text.ts';
import { readRoom } from './values/room.ts';
import { readUser } from './values/user.ts';

/** What is not seen, and makes one identifier look like another. */
const UNSEEN = /[\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]/gu;
/** What a command line takes for something else: spaces, commas, quotation marks, wildcards, cut ids. */
const UNTYPABLE = /[\s,`"“”„‟«»＂\\*…\p{Cf}\p{Default_Ignorable_Code_Point}]|\.{3}$/u;
const BETWEEN_WORDS = /[\s,=()<>"'“”„‟«»‘’‚‛＂]+/u;

type Identifier = UserId | RoomId | RoomAlias;

/** As somebody sees it: without what is invisible, wide and styled letters as what they look like. */
export function asSeen(text: string): string {
  return text.replace(UNSEEN, '').normalize('NFKC').trim();
}

/**
 * Why a link to an identifier is not taken; null where it is. The link decides, but who reads its text must not
 * be misled: anyone can choose a display name that looks like somebody else's id.
 */
export function checkPill(target: Identifier, text: string, serverName: string): MintwardenError | null {
  const seen = asSeen(text);
  if (seen === '')
    return refused(
      `There is a link to ${quotedWords(target, 100)} that nobody can see.`,
      'Write the id itself.',
    );
  if (UNTYPABLE.test(target))
    return refused(
      `The link ${quotedWords(seen, 100)} leads to an id that cannot stand in a command.`,
      'For a room, write its id (`!abc…`).',
    );
  const words = seen.split(BETWEEN_WORDS).filter((word) => word.includes(':'));
  if ([seen.replace(/[,;:]+$/, ''), ...words].some((word) => misleads(word, target, serverName)))
    return refused(
      `The link ${quoted(seen, 100)} leads to ${quoted(target, 100)}, which is another than its text says.`,
      `Anyone can choose such a display name. If you do mean \`${target}\`, write that, without a link.`,
    );
  return null;
}

function misleads(text: string, target: Identifier, serverName: string): boolean {
  const user = readUser(text, serverName);
  // Without a server part, some clients write a display name so: `@Carol` for @carol.
  if (user !== null)
    return text.includes(':') ? user !== target : user.toLowerCase() !== target.toLowerCase();
  const room = readRoom(text);
  if (room === null) return false;
  if (room.kind === 'prefix') return !target.startsWith(room.text);
  return (room.kind === 'alias' ? room.alias : room.roomId) !== target;
}

/** A link to no identifier, and where its text stands in the line. */
export type OtherLink = {
  readonly target: string;
  readonly text: string;
  readonly from: number;
  readonly to: number;
};

/**
 * Why a line with such a link is not taken: the link is a word that would be read as an identifier, or a part of
 * one. What a client made a link of by itself (`example.org` in `@alice:example.org`) is left alone.
 */
export function checkOtherLink(line: string, link: OtherLink, serverName: string): MintwardenError | null {
  const names = (text: string) => readUser(text, serverName) !== null || readRoom(text) !== null;
  if (isItsOwnAddress(link) && !names(asSeen(link.text))) return null;
  const before = line.slice(0, link.from).split(BETWEEN_WORDS).at(-1) ?? '';
  const after = line.slice(link.to).split(BETWEEN_WORDS).at(0) ?? '';
  const words = asSeen(before + line.slice(link.from, link.to) + after).split(BETWEEN_WORDS);
  const word = words.find(names);
  if (word === undefined) return null;
  return refused(
    `${quotedWords(word, 100)} is a link to something else (${quotedWords(link.target, 100)}), so I do not know whom or what you mean.`,
    'Write the id without a link, or choose from the list your client offers.',
  );
}

function isItsOwnAddress({ target, text }: OtherLink): boolean {
  const bare = (address: string) =>
    asSeen(address)
      .replace(/^(?:[a-z][a-z0-9+.-]*:)?(?:\/\/)?/i, '')
      .replace(/\/$/, '')
      .toLowerCase();
  const forms = [target, ...(tryDecode(target) ?? [])];
  return forms.some((form) => bare(form) === bare(text));
}

function tryDecode(text: string): readonly string[] | null {
  try {
    return [decodeURI(text)];
  } catch {
    return null;
  }
}

/** Whether what stands directly before or after a link to an identifier would become a part of it. */
export function touchesPill(before: string, after: string): boolean {
  return /[^\s,=("'“”„‟«»‘’‚‛＂]$/u.test(before) || /^[.:]*[A-Za-z0-9_[\]-]/u.test(after);
}

function refused(sentence: string, hint: string): MintwardenError {
  return new MintwardenError('usage', sentence, hint);
}
