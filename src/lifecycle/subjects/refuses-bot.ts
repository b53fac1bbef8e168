import { MintwardenError } from '../../domain/errors.ts';
import type { UserId } from '../../domain/ids.ts';
import type { Dm } from '../../ports/chat.ts';
import type { SubjectFacts } from '../../ports/directory.ts';
import { refusesBotHint, refusesBotSentence } from '../../words/refuses-bot.ts';

/** The setting by which what the bot sends to a person would not reach them. */
export type RefusesBot = 'ignored' | 'invites-blocked' | 'invites-ignored';

/** Null where the bot can reach them: a DM that they have joined needs no invitation. */
export function refusesBot(
  { ignoresBot, invites }: Pick<SubjectFacts, 'ignoresBot' | 'invites'>,
  dm: Pick<Dm, 'membership'> | null,
): RefusesBot | null {
  if (ignoresBot) return 'ignored';
  if (invites === 'allow' || dm?.membership === 'join') return null;
  return invites === 'block' ? 'invites-blocked' : 'invites-ignored';
}

/** The subject cannot be told, and so nothing may be made in their name. */
export function subjectUnreachable(
  subject: UserId,
  refuses: RefusesBot,
  hasServerNotices: boolean,
): MintwardenError {
  const notices = hasServerNotices ? 'refuses server notices too' : 'the homeserver has no server notices';
  const otherWay = hasServerNotices ? '' : '; or set up server notices on the homeserver';
  return new MintwardenError(
    'subject-unreachable',
    `${refusesBotSentence(subject, refuses)}, and ${notices}: they could not be told.`,
    `${refusesBotHint(refuses)}${otherWay}.`,
  );
}
