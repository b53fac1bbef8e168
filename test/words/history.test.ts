import { expect, test } from 'vitest';
import type { HistoryNews } from '../../src/domain/history-news.ts';
import type { GrantId } from '../../src/domain/ids.ts';
import { clockSentence } from '../../src/words/clock.ts';
import { historyNews } from '../../src/words/messages/history.ts';
import { toText } from '../../src/words/render.ts';

const NOON = Date.UTC(2026, 2, 1, 12);
const said = (news: HistoryNews): string => toText(historyNews(news, NOON));

test('an old copy: what it is, what is taken, what to do', () => {
  const text = said({ what: 'held', why: 'older', at: NOON - 60_000, anchorSeq: 40, seq: 31, live: 1 });
  expect(text).toMatch(/At 11:59 UTC my audit had 40 rows[^]*now it has 31/);
  expect(text).toMatch(/!revoke[^]*mintwarden recover[^]*1 grant\./);
  expect(said({ what: 'held', why: 'other', at: NOON, anchorSeq: 40, seq: 50, live: 2 })).toMatch(
    /does not agree with what I have/,
  );
});

test('gone on from: by whom, what ended, what was kept, until when something may live', () => {
  const text = said({
    what: 'trusted',
    by: 'operator:root',
    ended: 2,
    kept: ['7F3K9Q' as GrantId],
    unknownUntil: NOON + 3_600_000,
  });
  expect(text).toMatch(/root[^]*2 grants that were live in it have ended[^]*7F3K9Q[^]*13:00 UTC/);
  expect(said({ what: 'trusted', by: 'operator:root', ended: 0, kept: [], unknownUntil: NOON })).not.toMatch(
    /Kept/,
  );
});

test('a lost state and a homeserver put back', () => {
  expect(said({ what: 'lost', at: NOON, live: 1, unknownUntil: NOON + 3_600_000 })).toMatch(
    /1 grant was live then[^]*13:00 UTC/,
  );
  expect(said({ what: 'homeserver-restored', killing: 3 })).toMatch(
    /3 tokens that I had logged out may be alive again/,
  );
  expect(said({ what: 'homeserver-restored', killing: 0 })).toMatch(/no token that I had logged out/);
});

test('clocks: how far, against what, and what that means', () => {
  expect(clockSentence({ kind: 'disagrees', refusing: true, byMs: -3_600_000 })).toMatch(
    /1 h behind the homeserver’s. I honour no token/,
  );
  expect(clockSentence({ kind: 'disagrees', refusing: false, byMs: 180_000 })).toMatch(
    /3 min ahead of the homeserver’s. Tokens expire no later/,
  );
  expect(clockSentence({ kind: 'far-ahead', refusing: true, byMs: 1e12 })).toMatch(/recover --clock/);
  expect(said({ what: 'clock', why: { kind: 'went-back', refusing: false, byMs: -86_400_000 } })).toMatch(
    /1 d behind the latest time/,
  );
});
