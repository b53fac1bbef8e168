import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { haveTheConversation } from '../../demo/picture/conversation.ts';
import { textOf } from '../../harness/control-room.ts';
import { ROOT } from '../blocks.ts';
import { createTypist, type Meanwhile, type Typist } from '../typist.ts';
import { makeWorld, MODEL_SAYS, type World } from '../world.ts';

/* One world for all pages, in the order in which somebody would come to them: the README sets Mintwarden up. */

let world: World;
let typist: Typist;

beforeAll(async () => {
  world = await makeWorld();
  typist = createTypist(world);
});

afterAll(async () => {
  await typist?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

test('the README, from nothing to a token that was used and revoked', () => typist.page('README.md'));

test('the README’s picture shows what is said today', async () => {
  const shown = JSON.parse(await readFile(join(ROOT, 'docs/conversation.json'), 'utf8')) as unknown;
  // Where this fails because something is now said better: npm run picture
  expect(await haveTheConversation(await typist.stage())).toEqual(shown);
});

test('the operator’s page', () => typist.page('docs/operator.md'));

test('the administrator’s page', async () => {
  await typist.cleanSlate();
  await typist.page('docs/admin.md');
});

test('the subject’s page', async () => {
  await typist.cleanSlate();
  expect(
    await typist.says('!mint @alice --rooms #ops:example.org --ttl 1h --reason "status screen in the hall"'),
  ).toContain('is live');
  await typist.page('docs/subject.md');
});

const meanwhile: Meanwhile = {
  'node screen.mjs': async (screen) => {
    await screen.seen('Disk 2');
    await typist.exec('revoke 7F3K9Q');
  },
  'node agent.mjs': async (agent) => {
    await agent.seen('Listening.');
    const asked = await world.bob.sendPlaintext(world.ops, 'm.room.message', {
      msgtype: 'm.text',
      body: 'helper: what is new?',
    });
    const answer = await world.bob.waitForMessage(
      ({ sender, type }) => sender === '@helper:example.org' && type === 'm.room.message',
    );
    expect(textOf(answer)).toBe(MODEL_SAYS);
    expect(answer.content['m.relates_to']).toMatchObject({ 'm.in_reply_to': { event_id: asked } });
    await typist.exec('revoke 7F3K9Q');
  },
};

test('the holder’s page, with the libraries it names', async () => {
  await typist.cleanSlate();
  await typist.page('docs/holder.md', meanwhile);
});
