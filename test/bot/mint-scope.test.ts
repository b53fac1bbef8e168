import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CommandContext } from '../../src/bot/command.ts';
import { mintRequest } from '../../src/bot/commands/mint-request.ts';
import { mintCommand } from '../../src/bot/commands/mint.ts';
import { parseArguments } from '../../src/bot/parse-arguments.ts';
import { tokenize } from '../../src/bot/tokenizer.ts';
import { parsePermission } from '../../src/domain/permission.ts';
import { MintwardenError } from '../../src/domain/errors.ts';
import { PRESETS } from '../../src/domain/preset.ts';
import { mintTerms } from '../../src/lifecycle/mint/mint-terms.ts';
import { mintLine } from '../../src/words/command-line.ts';
import { EVERYTHING, plain } from '../domain/support/scopes.ts';
import { grantWith } from '../words/sample.ts';
import { ADA, botStage, type BotStage } from './support/stage.ts';

const presets = new Map(Object.entries(PRESETS));
const context = {
  serverName: 'x.org',
  policy: () => ({ presets }),
  sender: ADA,
  key: null,
} as unknown as CommandContext<'serverName' | 'policy'>;

const asked = (line: string) => mintRequest(context, parseArguments(mintCommand, tokenize(line)));
const scope = (flags: string) => {
  const { rooms, can, limits } = asked(`@alice ${flags.includes('--rooms') ? '' : '--rooms all'} ${flags}`);
  return { rooms, can, limits };
};

function refusal(flags: string): string {
  try {
    scope(flags);
  } catch (error) {
    if (error instanceof MintwardenError && error.code === 'usage')
      return `${error.message} ${error.hint ?? ''}`;
    throw error;
  }
  throw new Error(`Not refused: ${flags}`);
}

describe('what the flags say of a scope', () => {
  it.each([
    ['', ['read'], {}],
    ['--read-only', ['read'], {}],
    ['--can READ,Send:m.room.message', ['read', 'send:m.room.message'], {}],
    ['--can read, react , typing', ['read', 'react', 'typing'], {}],
    ['--read-only --can read,notifications', ['read', 'notifications'], {}],
    ['--can state:m.room.topic:', ['state:m.room.topic:'], {}],
    ['--types m.room.message,m.*', ['read'], { types: ['m.room.message', 'm.*'] }],
    ['--power -10', ['read'], { power: -10 }],
    ['--power=−10', ['read'], { power: -10 }],
    ['--from 10.0.0.0/8,::1', ['read'], { from: ['10.0.0.0/8', '::1/128'] }],
    ['--uses 3', ['read'], { uses: 3 }],
    ['--follow-upgrades', ['read'], { followUpgrades: true }],
    ['--rooms-by @bot,@whatsapp_*:y.org', ['read'], { by: ['@bot:x.org', '@whatsapp_*:y.org'] }],
    [
      '--deny put /a/**, /b',
      ['read'],
      {
        rules: [
          [
            { verdict: 'deny', on: 'PUT /a/**' },
            { verdict: 'deny', on: '* /b' },
          ],
        ],
      },
    ],
    [
      '--allow GET /** --deny "GET /x"',
      ['read'],
      {
        rules: [
          [
            { verdict: 'deny', on: 'GET /x' },
            { verdict: 'allow', on: 'GET /**' },
          ],
        ],
      },
    ],
    ['--preset Notifier', ['send:m.room.message', 'upload'], { power: 0 }],
    ['--preset notifier --power 50', ['send:m.room.message', 'upload'], { power: 0 }],
    ['--preset notifier --power -5 --uses 2', ['send:m.room.message', 'upload'], { power: -5, uses: 2 }],
    ['--preset hud --read-only', ['read'], {}],
  ])('%s', (flags, can, limits) => expect(scope(flags)).toEqual({ rooms: 'all', can, limits }));

  it.each([
    ['--read-only --can read,send', '--read-only contradicts send'],
    ['--read-only --preset agent', '--read-only contradicts'],
    ['--preset hud --can send', '--preset and --can both say'],
    ['--preset hut', 'There are hud, widget'],
    ['--can sned', 'Did you mean `send`?'],
    ['--can sned:m.room.message', 'Did you mean `send:m.room.message`?'],
    ['--can everything', 'There is no capability “everything”'],
    ['--can send:m.reaction', 'Reactions are a capability of their own'],
    ['--can account-data', 'needs a type'],
    ['--can account-data:m.direct', 'is never granted'],
    ['--can read,,send', 'Write: `--can read,send`'],
    ['--types m.*.x', 'is no event type'],
    ['--power high', 'is no number for --power'],
    ['--power 1.5', 'is no number for --power'],
    ['--power 99999999999999999999', 'is no number for --power'],
    ['--uses 0', 'above zero'],
    ['--uses -1', 'above zero'],
    ['--from office', 'is no network'],
    ['--from 10.0.0.1/8', 'Write `10.0.0.0/8` or `10.0.0.1`.'],
    ['--rooms all --rooms-by @bot', '--rooms and --rooms-by both'],
    ['--rooms-by @*', 'names nobody'],
    ['--deny /a?b', 'is no endpoint'],
    ['--deny PATCH /a', 'is no endpoint'],
    [`--can ${Array.from({ length: 51 }, (_, index) => `send:a${index}`).join(',')}`, '50 are the most'],
  ])('refuses %s', (flags, words) => expect(refusal(flags)).toContain(words));

  it('either rooms or who made them must be said', () => {
    expect(() => asked('@alice --can read')).toThrow(/mint needs --rooms/);
  });
});

describe('the line that makes such a grant again', () => {
  it('reads back as the same terms, or is not given', () => {
    fc.assert(
      fc.property(plain, (of) => {
        const grant = grantWith({ scope: of.by === undefined ? of : { ...of, rooms: 'all' }, rooms: [] });
        const text = mintLine({ ...grant, scope: { ...grant.scope, rooms: 'all' } });
        if (text === null) return;
        const { can, limits } = asked(text.replace('!mint ', ''));
        const terms = () => mintTerms({ can, limits, rooms: [] }, EVERYTHING);
        const before = () => mintTerms({ can: of.can, limits: limitsOf(of), rooms: [] }, EVERYTHING);
        expect(outcome(terms)).toEqual(outcome(before));
      }),
    );
  });

  function limitsOf(of: typeof plain extends fc.Arbitrary<infer S> ? S : never) {
    const { v: _v, rooms: _rooms, can: _can, ...limits } = of;
    return limits;
  }

  function outcome(of: () => unknown): unknown {
    try {
      return of();
    } catch (error) {
      return error instanceof MintwardenError ? error.message : error;
    }
  }
});

describe('in the control room', () => {
  let stage: BotStage;
  beforeEach(async () => {
    stage = await botStage();
  });
  afterEach(() => stage[Symbol.asyncDispose]());

  it('mints what is read by type, with every limit, and says so', async () => {
    const line =
      '!mint @alice --rooms !ops:x.org --can read:m.room.message --follow-upgrades --uses 3 --from 10.0.0.0/8 --power 0';
    const shown = await stage.says(`${line} --dry-run`);
    expect(shown).not.toContain('cannot be granted');
    expect(shown).toContain('can read m.room.message in 1 room');
    expect(shown).toContain('for at most 3 requests');
    await stage.says(line);
    expect(await stage.says('!list')).toContain('m.room.message');
  });

  it('mints state by type and key, memberships and a ceiling of power, and says so', async () => {
    const line =
      '!mint @alice --rooms !ops:x.org --can read,state:m.room.topic:,state:m.space.child,join,leave,invite,kick,ban,unban --power 50';
    const shown = await stage.says(`${line} --dry-run`);
    expect(shown).not.toContain('cannot be granted');
    for (const words of [
      'm.room.topic',
      'm.space.child',
      'invite users',
      'kick members',
      'a power level of at most 50',
    ])
      expect(shown).toContain(words);
    await stage.says(line);
    expect(await stage.says('!list')).toMatch(/@alice/);
    for (const never of ['state:m.room.power_levels', 'state:m.room.redaction', 'state:m.policy.rule.*'])
      expect(await stage.says(`!mint @alice --rooms !ops:x.org --can ${never}`)).toMatch(
        /never granted|by name alone/,
      );
  });

  it('explains capabilities and presets', async () => {
    const capabilities = await stage.says('!help capabilities');
    for (const name of ['read', 'redact-others', 'account-data:TYPE', 'state[:TYPE[:KEY]]'])
      expect(capabilities).toContain(`\`${name}`);
    const shown = await stage.says('!help presets');
    for (const [name, { explanation }] of Object.entries(PRESETS)) {
      expect(shown).toContain(`--preset ${name}`);
      expect(shown).toContain(explanation);
    }
    expect(await stage.says('!help capabilites')).toContain('`!help capabilities`');
  });
});

it('every preset built in can be said in words, and wants no more than there is', () => {
  for (const { can, limits } of Object.values(PRESETS)) {
    expect(can.map((permission) => parsePermission(permission))).toEqual(can);
    expect(mintTerms({ can, limits, rooms: [] }, EVERYTHING).can.length).toBeGreaterThan(0);
  }
});
