import { unreachable } from '../../domain/errors.ts';
import type { HistoryNews } from '../../domain/history-news.ts';
import { code, line, list, paragraph, strong } from '../build.ts';
import type { Document } from '../document.ts';
import { actorName } from '../text/en.ts';
import { clockSentence } from '../clock.ts';
import { moment, shortDuration, utc } from '../time.ts';

/**
 * To the control room: what was found out of the state, the homeserver or the clock, and what is done about
 * it.
 */
export function historyNews(news: HistoryNews, now: number): Document {
  switch (news.what) {
    case 'held':
      return [
        paragraph(
          line`${strong('My state is an old copy, so I honour no token and make none.')} ${heldWhy(news, now)}`,
        ),
        paragraph([
          'What was revoked since then I do not know; it must not come to life again. My gateway answers 503.',
        ]),
        list(
          line`Here I take only ${code('!revoke')}, ${code('!list')}, ${code('!show')}, ${code('!status')} and ${code('!help')}.`,
          line`An operator brings the newer state back, if there is one, or stops the service and goes on from this one: ${code('mintwarden recover')}`,
          [`Live in this copy: ${grants(news.live)}.`],
        ),
      ];
    case 'trusted':
      return [
        paragraph(
          line`${actorName(news.by)} confirmed that I go on from an old copy of my state. ${endedSentence(news.ended)}`,
        ),
        list(
          ...(news.kept.length === 0
            ? []
            : [line`Kept at the operator’s word: ${code(news.kept.join(' '))}`]),
          [
            `Tokens that were made at the homeserver in between are in nobody’s hands and end by themselves, at the latest ${moment(news.unknownUntil, now)}.`,
          ],
        ),
      ];
    case 'lost':
      return [
        paragraph(
          line`${strong('My state was lost: I start again from nothing.')} By what I last said here, at ${utc(news.at, now)}, ${isAre(news.live)} live then. I know none of them any more, so I refuse their tokens.`,
        ),
        list(
          [
            `What is behind them at the homeserver is in nobody’s hands and ends by itself, at the latest ${moment(news.unknownUntil, now)}.`,
          ],
          [
            'Administrators’ identities, rooms and commands that I had noted are forgotten too: the first command of each counts as the first.',
          ],
        ),
      ];
    case 'homeserver-restored':
      return [
        paragraph(
          line`${strong('The homeserver has forgotten what it had taken from me.')} It looks as if it was restored from a backup, or old messages were purged.`,
        ),
        list(
          [
            news.killing === 0
              ? 'There is no token that I had logged out and that could be alive again.'
              : `${news.killing === 1 ? '1 token' : `${String(news.killing)} tokens`} that I had logged out may be alive again: I log them out once more.`,
          ],
          ['Notices that it lost are not sent again: look at !list for what is live.'],
        ),
      ];
    case 'clock':
      return [paragraph([clockSentence(news.why)])];
    case 'clock-trusted':
      return [
        paragraph(
          line`${actorName(news.by)} confirmed that the clock of my machine is right: it says ${utc(news.at, now)}. ${clockBefore(news, now)}`,
        ),
      ];
    default:
      return unreachable(news);
  }
}

function heldWhy(news: Extract<HistoryNews, { what: 'held' }>, now: number): string {
  if (news.why === 'cut') {
    return 'Somebody removed what I had said here of my state after this copy was made; by whom, the history of this room shows.';
  }
  const when = utc(news.at, now);
  return news.why === 'older'
    ? `At ${when} my audit had ${String(news.anchorSeq)} rows, as I said here; now it has ${String(news.seq)}.`
    : `What I said here at ${when}, of row ${String(news.anchorSeq)} of my audit, does not agree with what I have.`;
}

function clockBefore({ before, at }: Extract<HistoryNews, { what: 'clock-trusted' }>, now: number): string {
  if (before <= at) return 'No token lives longer for it.';
  return `Before that I had seen ${utc(before, now)}: tokens live longer by the difference, ${shortDuration(before - at)}.`;
}

function grants(count: number): string {
  return count === 1 ? '1 grant' : `${String(count)} grants`;
}

function isAre(count: number): string {
  return count === 1 ? '1 grant was' : `${grants(count)} were`;
}

function endedSentence(count: number): string {
  if (count === 0) return 'No grant was live in it.';
  return `${count === 1 ? '1 grant that was live in it has' : `${String(count)} grants that were live in it have`} ended.`;
}
