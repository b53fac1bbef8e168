import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PRESETS } from '../../src/domain/preset.ts';
import { botStage, OPS, type BotStage } from './support/stage.ts';

let stage: BotStage;

beforeEach(async () => {
  stage = await botStage();
});
afterEach(() => stage[Symbol.asyncDispose]());

const minted = async (line: string) => {
  const said = await stage.says(line);
  return { said, grants: await stage.services.ledger.grants({ limit: 9 }) };
};

describe('every preset there is', () => {
  it.each(Object.keys(PRESETS))('%s is minted, or help says that it is not granted yet', async (name) => {
    const help =
      (await stage.says('!help presets')).split('\n').find((each) => each.includes(`--preset ${name}\``)) ??
      '';
    expect(help).toContain(PRESETS[name]?.explanation);
    const { said, grants } = await minted(`!mint @alice --rooms ${OPS} --preset ${name} --ttl 1h`);
    if (help.includes('not granted yet')) {
      expect(grants).toEqual([]);
      expect(said).toMatch(/gateway|enforce/);
    } else {
      expect(grants).toHaveLength(1);
      expect(grants[0]?.scope).toMatchObject({
        rooms: [OPS],
        can: expect.arrayContaining([...(PRESETS[name]?.can ?? ['none'])]),
        ...PRESETS[name]?.limits,
      });
    }
  });
});

it('one of the configuration is explained by its own words, and mints what it says; what is said beside it narrows it', async () => {
  const mine = {
    explanation: 'says the weather',
    can: ['send:m.room.message', 'react'] as const,
    limits: { types: ['m.room.*', 'm.reaction'] },
  };
  stage.policy = { ...stage.policy, presets: new Map([['weather', mine]]) };
  const help = await stage.says('!help presets');
  expect(help).toContain('`--preset weather`: says the weather. It is `--can send:m.room.message,react`');
  expect(help).not.toContain('hud');
  const { grants } = await minted(
    `!mint @alice --rooms ${OPS} --preset weather --types m.room.message,m.reaction --ttl 1h`,
  );
  expect(grants[0]?.scope).toEqual({
    v: 1,
    rooms: [OPS],
    can: ['react', 'send:m.room.message'],
    types: ['m.reaction', 'm.room.message'],
  });
  expect(await stage.says(`!mint @alice --rooms ${OPS} --preset hud --ttl 1h`)).toContain(
    'There is no preset “hud”.',
  );
});
