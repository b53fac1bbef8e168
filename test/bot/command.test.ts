import { expect, it } from 'vitest';
import { defineCommand, type FullContext } from '../../src/bot/command.ts';

const description = {
  name: 'look',
  place: 'control',
  summary: 'look',
  parameters: [],
  flags: [],
  examples: [],
  mutates: false,
  allowedWhenExposed: false,
} as const;
const args = { positionals: new Map(), values: new Map(), switches: new Set<string>() };

it('hands a command the capabilities it names, and no other', async () => {
  let seen: object = {};
  const command = defineCommand({
    ...description,
    needs: ['findGrant'],
    async run(context) {
      seen = context;
      return [];
    },
  });
  const context = { place: 'control', sender: '@ada:x.org', key: null, now: 1, findGrant: 1, mint: 2 };
  await command.run(context as unknown as FullContext, args);
  expect(Object.keys(seen).toSorted()).toEqual(['findGrant', 'key', 'now', 'place', 'sender']);
});

it('lets no command compile that reaches for more', () => {
  defineCommand({
    ...description,
    needs: ['findGrant'],
    // @ts-expect-error `mint` is not among its needs
    run: async ({ mint }) => (mint === undefined ? [] : []),
  });
});
