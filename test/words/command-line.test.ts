import { describe, expect, it } from 'vitest';
import type { RoomId } from '../../src/domain/ids.ts';
import { mintLine } from '../../src/words/command-line.ts';
import { again } from '../../src/words/text/en.ts';
import { lineToText } from '../../src/words/render.ts';
import { grantWith } from './sample.ts';

function lineFor(...rooms: string[]): string | null {
  return mintLine(grantWith({ scope: { v: 1, rooms: rooms as RoomId[], can: ['read'] } }));
}

describe('the line that makes such a grant again', () => {
  it.each(['!ops:example.org', '!_dDn1kut5YSer-wBSqNyTgKfvXlO4ZJ2rAAAAAAAAAA', '!a.b=~+c:[::1]:8448'])(
    'is given for %s',
    (room) => {
      expect(lineFor(room)).toContain(`--rooms ${room} --read-only`);
    },
  );

  it.each([
    '!x,!diary:example.org',
    '!x:evil.org,all',
    '!abc…',
    '!abc...',
    '!short',
    '!x"--to"@eve:evil.org',
    '!x`:evil.org',
    '!x\u202e:evil.org',
    "!x':evil.org",
  ])('is not given where another’s server chose an id that would read as something else: %j', (room) => {
    expect(lineFor('!ops:example.org', room)).toBeNull();
    expect(
      lineToText(again(grantWith({ scope: { v: 1, rooms: [room as RoomId], can: ['read'] } }))),
    ).not.toContain('!mint');
  });

  it('is never cut off: without its end it would go to somebody else, for another time', () => {
    const rooms = Array.from({ length: 90 }, (_, index) => `!${String(index).padStart(43, 'A')}`);
    expect(lineFor(...rooms)).toBeNull();
    expect(lineFor(...rooms.slice(0, 30))).toMatch(/--ttl 1h --reason "weekly report"$/);
  });
});
