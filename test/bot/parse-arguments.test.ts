import { describe, expect, it } from 'vitest';
import { MintwardenError } from '../../src/domain/errors.ts';
import { PRESETS } from '../../src/domain/preset.ts';
import type { CommandContext } from '../../src/bot/command.ts';
import { listCommand } from '../../src/bot/commands/list.ts';
import { mintRequest } from '../../src/bot/commands/mint-request.ts';
import { mintCommand } from '../../src/bot/commands/mint.ts';
import { parseArguments } from '../../src/bot/parse-arguments.ts';
import { tokenize } from '../../src/bot/tokenizer.ts';
import { ADA } from './support/stage.ts';

const context = {
  serverName: 'x.org',
  policy: () => ({ presets: new Map(Object.entries(PRESETS)) }),
  sender: ADA,
  key: null,
} as unknown as CommandContext<'serverName' | 'policy'>;

function asked(line: string) {
  const { subject, recipient, rooms, ttlMs, reason } = mintRequest(
    context,
    parseArguments(mintCommand, tokenize(line)),
  );
  return { subject, recipient, rooms, ttlMs, reason };
}

function refusal(line: string, command = mintCommand): readonly [string, string | null] {
  try {
    const args = parseArguments(command, tokenize(line));
    if (command === mintCommand) mintRequest(context, args);
  } catch (error) {
    if (error instanceof MintwardenError && error.code === 'usage') return [error.message, error.hint];
    throw error;
  }
  throw new Error(`Not refused: ${line}`);
}

const OPS = { kind: 'id', roomId: '!ops:x.org' };
const plain = { subject: '@alice:x.org', recipient: null, rooms: [OPS], ttlMs: null, reason: null };

describe('what is typed after !mint', () => {
  it.each([
    ['@alice --rooms !ops:x.org', plain],
    ['@alice --rooms !ops:x.org --read-only --ttl 1h', { ...plain, ttlMs: 3_600_000 }],
    ['@alice:x.org --rooms all', { ...plain, rooms: 'all' }],
    ['--rooms !ops:x.org @alice', plain],
    ['@alice --rooms=!ops:x.org', plain],
    [
      "@alice --rooms !ops:x.org --reason it's fine --ttl 1h",
      { ...plain, reason: "it's fine", ttlMs: 3_600_000 },
    ],
    ['@alice --rooms !ops:x.org --reason “it’s fine”', { ...plain, reason: 'it’s fine' }],
    ['@alice --rooms !ops:x.org --reason "--ttl 5h"', { ...plain, reason: '--ttl 5h' }],
    ['@alice —rooms !ops:x.org –ttl 90s', { ...plain, ttlMs: 90_000 }],
    ['@alice\n--rooms\u00a0!ops:x.org\n--to @bob', { ...plain, recipient: '@bob:x.org' }],
    ['@alice --Rooms !ops:x.org', plain],
    ['@alice --rooms !ops:x.org, !abc', { ...plain, rooms: [OPS, { kind: 'prefix', text: '!abc' }] }],
    [
      '@alice --rooms !ops:x.org , #a:x.org',
      { ...plain, rooms: [OPS, { kind: 'alias', alias: '#a:x.org' }] },
    ],
    ['@alice --rooms !abc…', { ...plain, rooms: [{ kind: 'prefix', text: '!abc' }] }],
    [
      '@alice --rooms !_dDn1kut5YSer-wBSqNyTgKfvXlO4ZJ2rAAAAAAAAAA',
      { ...plain, rooms: [{ kind: 'id', roomId: '!_dDn1kut5YSer-wBSqNyTgKfvXlO4ZJ2rAAAAAAAAAA' }] },
    ],
    ['@alice --rooms !1e3', { ...plain, rooms: [{ kind: 'prefix', text: '!1e3' }] }],
    ['@alice --rooms https://matrix.to/#/!ops:x.org?via=x.org', plain],
    ['https://matrix.to/#/%40alice%3Ax.org --rooms matrix:roomid/ops:x.org?via=x.org', plain],
    [
      'matrix:u/alice:x.org --rooms matrix:r/a:x.org',
      { ...plain, rooms: [{ kind: 'alias', alias: '#a:x.org' }] },
    ],
  ])('%s', (line, request) => expect(asked(line)).toEqual(request));

  it.each([
    ['', 'mint needs USER', '`!mint @alice --rooms'],
    ['@alice', 'mint needs --rooms', '`!mint @alice --rooms ROOMS`'],
    ['@alice --rooms !a --rooms !b', '--rooms is there twice.', '`--rooms !a,!b`'],
    ['@alice --rooms !a --ttl 1h --ttl 2h', '--ttl is there twice.', 'Say it once'],
    ['@alice --rooms !a --read-only --read-only', '--read-only is there twice.', 'Say it once'],
    ['@alice --room !a', '--rooms is probably meant', '`!mint @alice --rooms !a`'],
    [
      '@alice —room !a --reason "x y"',
      '--rooms is probably meant',
      '`!mint @alice --rooms !a --reason "x y"`',
    ],
    ['@alice -rooms !a', 'no flag -rooms', '`!mint @alice --rooms !a`'],
    ['@alice ---rooms !a', 'no flag ---rooms', '`!mint @alice --rooms !a`'],
    ['@alice --rooms !a --full', 'no flag --full', 'It has --rooms'],
    ['@alice --rooms !a --no-read-only', 'no flag --no-read-only', 'It has --rooms'],
    ['@alice --rooms !a --readOnly', 'no flag --readOnly', '--read-only'],
    ['@alice --rooms.a !a', 'no flag --rooms.a', '`!mint @alice --rooms !a`'],
    ['@alice --rooms !a @bob', 'what “@bob” is for', '`!mint @alice --rooms !a`'],
    ['@alice --rooms !a !b', 'what “!b” is for', '`--rooms !a,!b`'],
    ['@alice --rooms !a -- x', 'what “--” “x” is for', '`!mint @alice --rooms !a`'],
    ['@alice --rooms', '--rooms says nothing', '--rooms #ops'],
    ['@alice --rooms --read-only', '--rooms says nothing', '--rooms #ops'],
    ['@alice --rooms ""', '--rooms says nothing', '--rooms #ops'],
    ['@alice --rooms= --ttl 1h', '--rooms says nothing', '--rooms #ops'],
    ['@alice --rooms !a,', 'comma too many', '`--rooms !a`'],
    ['@alice --rooms !a,,!b', 'comma too many', '`--rooms !a,!b`'],
    ['@alice --rooms all,!a', 'Either all rooms or some', '--rooms all'],
    ['@alice --rooms ops', '“ops” is not a room', '#ops:x.org'],
    ['@alice --rooms #ops', '“#ops” is not a room', 'An alias has a server part: `#ops:x.org`'],
    ['@alice --rooms !a --read-only=false', '--read-only takes no value', 'leave it out'],
    ['@alice --rooms !a --read-only false', '--read-only takes no value', 'leave it out'],
    ['@alice --rooms !a --ttl 60', 'has no unit', '60s, 60m, 60h or 60d'],
    ['@alice --rooms !a --ttl=-1h', 'cannot be negative', '1h'],
    ['@alice --rooms !a --ttl 0h', 'zero', '1h'],
    ['alice --rooms !a', '“alice” is not a user', '`@alice`'],
    ['@ --rooms !a', '“@” is not a user', '@alice'],
    ['"" @alice --rooms !a', 'An empty word', '!mint USER'],
    ['@alice --rooms !a --reason "', 'is not closed', 'Close it'],
    ['@alice --rooms !a --__proto__ x', 'I do not know what', '`!mint @alice --rooms !a`'],
    ['@alice --rooms !a --constructor=x', 'no flag --constructor', 'It has'],
  ])('refuses %j', (line, sentence, next) => {
    const [said, then] = refusal(line);
    expect(said).toContain(sentence);
    expect(then).toContain(next);
  });

  it('gives corrected lines that are right', () => {
    const corrected =
      /`!mint (.*)`/.exec(refusal('@alice --room !ops:x.org --reason "don\'t ask" --ttl 2h')[1] ?? '')?.[1] ??
      '';
    expect(asked(corrected)).toEqual({ ...plain, reason: "don't ask", ttlMs: 7_200_000 });
  });

  it('follows from each command’s own description', () => {
    expect(refusal('--users @a', listCommand)).toEqual([
      'list has no flag --users; --user is probably meant.',
      'Write: `!list --user @a`',
    ]);
    expect(refusal('all', listCommand)).toEqual(['I do not know what “all” is for.', 'Without it: `!list`']);
  });
});
