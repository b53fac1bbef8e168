import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { UserId } from '../../src/domain/ids.ts';
import { ALICE, botStage, OPS, type BotStage } from './support/stage.ts';

const V3 = '/_matrix/client/v3';
let stage: BotStage;
let id: string;

beforeEach(async () => {
  stage = await botStage();
  await stage.says(`!mint @alice --rooms ${OPS} --can read,send:m.room.message,plaintext --ttl 1h`);
  id = (await stage.services.ledger.grants({ limit: 1 }))[0]?.id ?? '';
});
afterEach(() => stage[Symbol.asyncDispose]());

describe('!can', () => {
  it('says yes, what is asked of the homeserver, and what is shown', async () => {
    const said = await stage.says(`!can ${id} GET ${V3}/rooms/${OPS}/messages?dir=b`);
    expect(said).toContain('Yes. The gateway would let it pass (`getRoomEvents`)');
    expect(said).toContain(
      `Asked of the homeserver: GET /_matrix/client/v3/rooms/${encodeURIComponent(OPS)}/messages, with dir`,
    );
    expect(said).toContain('Shown: events of this room');
  });

  it('names the capability that is missing', async () => {
    const said = await stage.says(`!can ${id} PUT ${V3}/rooms/${OPS}/send/m.reaction/1`);
    expect(said).toContain('No. The gateway would refuse it with 403 (`sendMessage`)');
    expect(said).toContain('Missing: the capability `react`');
  });

  it('names the room that is not in scope', async () => {
    expect(await stage.says(`!can ${id} GET ${V3}/rooms/!other:x.org/messages`)).toContain(
      '!other:x.org is not among the rooms in scope.',
    );
  });

  it.each([
    ['a beginning of the id', (all: string) => `!can ${all.slice(0, 4).toLowerCase()} get ${V3}/sync`],
    [
      'a whole address in quotes',
      (all: string) => `!can ${all} GET "https://mint.x.org${V3}/sync?timeout=0"`,
    ],
    ['a phone’s quotes', (all: string) => `!can ${all} GET “${V3}/sync”`],
    ['code', (all: string) => `\`!can ${all} GET ${V3}/sync\``],
  ])('takes %s', async (_, text) => expect(await stage.says(text(id))).toContain('Yes.'));

  it('judges the body, in single quotes, and says where none was given', async () => {
    const send = `!can ${id} PUT ${V3}/rooms/${OPS}/send/m.room.message/1`;
    expect(await stage.says(`${send} '{"msgtype":"m.text","body":"hello"}'`)).toContain('Yes.');
    expect(await stage.says(`${send} '{"body":"@room","x":1}'`)).toContain('No.');
    expect(await stage.says(`${send} 'no json'`)).toContain('No.');
    expect(await stage.says(send)).toContain('It depends.');
  });

  it('knows what became of the grant', async () => {
    await stage.says(`!revoke ${id}`);
    expect(await stage.says(`!can ${id} GET ${V3}/sync`)).toContain('refuse it with 401');
  });

  it('says what is missing, and which grants there are not', async () => {
    expect(await stage.says(`!can ${id}`)).toContain('METHOD');
    expect(await stage.says(`!can ZZZZZZ GET ${V3}/sync`)).toContain('ZZZZZZ');
  });

  it('rings nobody, and draws no link, whatever is in the path', async () => {
    const said = await stage.says(`!can ${id} GET ${V3}/profile/@bob:x.org`);
    expect(said).toContain('@bob:x.org must be a member of a room in scope');
    for (const { content } of stage.sent) expect(content).toMatchObject({ mentions: [] });
    expect(JSON.stringify(stage.sent.at(-1)?.content)).not.toContain('<a ');
  });

  it('changes nothing', async () => {
    const before = await stage.services.ledger.counts();
    await stage.says(`!can ${id} POST ${V3}/logout`);
    const after = await stage.services.ledger.counts();
    expect([after.auditRows, after.live]).toEqual([before.auditRows, before.live]);
  });

  it('is in the help', async () => {
    expect(await stage.says('!help')).toContain('!can ID METHOD PATH [BODY]');
    expect(await stage.says('!help can')).toContain('in single quotes');
  });
});

describe('can, in a DM', () => {
  it('explains to the subject what speaks for them, and nobody else', async () => {
    expect(await stage.saysInDm(ALICE, `can ${id} GET ${V3}/sync`)).toContain('Yes.');
    expect(await stage.saysInDm(ALICE, `!can ${id} GET ${V3}/logout/all`)).toContain('No.');
    expect(await stage.saysInDm('@carol:x.org' as UserId, `can ${id} GET ${V3}/sync`)).toContain('no grant');
  });

  it('is no command where somebody only begins a sentence so', async () => {
    expect(await stage.saysInDm(ALICE, 'can they get me out of this?')).toContain('I am a bot');
    expect(await stage.saysInDm(ALICE, 'can you help?')).toBe('');
  });
});
