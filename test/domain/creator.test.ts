import { expect, it } from 'vitest';
import { creatorMatches, isWildCreator, parseCreatorPattern } from '../../src/domain/creator.ts';
import type { UserId } from '../../src/domain/ids.ts';

it.each([
  ['@bot', '@bot:example.org'],
  ['@whatsapp_*', '@whatsapp_*:example.org'],
  ['@whatsapp_*:other.org:8448', '@whatsapp_*:other.org:8448'],
])('%s is %s', (text, spelled) => expect(parseCreatorPattern(text, 'example.org')).toBe(spelled));

it.each([
  '',
  '@',
  '@*',
  '@*:example.org',
  'bot',
  '@a*b',
  '@a**',
  '@bot:*',
  '@bot:exam*',
  '@bot:',
  '!room:x',
  '@:x',
  'bot*',
  'bot:x',
  `@${'a'.repeat(300)}`,
])('%j names nobody', (text) =>
  expect(() => parseCreatorPattern(text, 'example.org')).toThrow(expect.objectContaining({ code: 'usage' })),
);

it.each([
  ['@whatsapp_*:example.org', '@whatsapp_1:example.org', true],
  ['@whatsapp_*:example.org', '@whatsapp_:example.org', true],
  ['@whatsapp_*:example.org', '@whatsapp_1:evil.org', false],
  ['@whatsapp_*:example.org', '@whatsapp_1:example.org.evil.org', false],
  ['@whatsapp_*:example.org', '@whatsappbot:example.org', false],
  ['@bot:example.org', '@bot:example.org', true],
  ['@bot:example.org', '@bot2:example.org', false],
  // Historical ids may have an asterisk in them: it is a character there.
  ['@bot:example.org', '@bot*:example.org', false],
  ['@botx:example.org', '@bot*:example.org', false],
] as const)('%s means %s: %s', (pattern, creator, means) =>
  expect(creatorMatches(pattern, creator as UserId)).toBe(means),
);

it('knows its wildcards', () => {
  expect(isWildCreator('@a_*:x')).toBe(true);
  expect(isWildCreator('@a:x')).toBe(false);
});
