import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { command, mint, takeNotice, textOf } from '../harness/control-room.ts';
import { startJsClient } from '../harness/js-client.ts';
import type { JsClient } from '../harness/js-client.ts';
import { matrixRequest } from '../harness/matrix-http.ts';
import { answerWith, delay, garbage } from '../harness/proxy.ts';
import { livePuppetTokens } from '../harness/puppet-tokens.ts';
import { setTheStage } from '../harness/stage.ts';
import type { Stage } from '../harness/stage.ts';
import { realTime } from '../support/wait.ts';

let stage: Stage;
let encryptedRoom = '';
const LOGIN = { method: 'POST', path: /\/_synapse\/admin\/v1\/users\/[^/]+\/login/ };

const admin = (method: string, path: string, body?: object): Promise<unknown> =>
  matrixRequest(stage.synapse.baseUrl, method, path, {
    token: stage.synapse.adminToken,
    ...(body === undefined ? {} : { body }),
  });

beforeAll(async () => {
  stage = await setTheStage({ proxied: true });
  await stage.synapse.registerUser('locked');
  await stage.synapse.registerUser('gone');
  await stage.synapse.registerUser('root', { admin: true });
  await stage.synapse.registerUser('keyless');
  await admin('PUT', `/_synapse/admin/v2/users/@locked:${stage.synapse.serverName}`, { locked: true });
  await admin('POST', `/_synapse/admin/v1/deactivate/@gone:${stage.synapse.serverName}`, { erase: false });
  encryptedRoom = await stage.alice.createRoom({ name: 'Board', encrypted: true });
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

describe('what a command cannot do is said plainly, and nothing is made', () => {
  test.each<[string, (s: Stage) => string, RegExp]>([
    [
      'an unknown subject',
      (s) => `!mint @nobody --rooms ${s.ops}`,
      /no user|does not exist|unknown|not know/i,
    ],
    [
      'a remote subject',
      (s) => `!mint @alice:elsewhere.example --rooms ${s.ops}`,
      /elsewhere\.example|another|this homeserver|other/i,
    ],
    ['a locked subject', () => '!mint @locked --rooms all', /locked/i],
    ['a deactivated subject', () => '!mint @gone --rooms all', /deactivated/i],
    ['a server administrator', () => '!mint @root --rooms all', /privileged_subjects/],
    ['oneself, the first evening', () => '!mint @olivia --rooms all', /privileged_subjects/],
    ['the bot itself', (s) => `!mint ${s.mintwarden.botUserId} --rooms all`, /own account|never|Mintwarden/i],
    [
      'the control room',
      (s) => `!mint @alice --rooms ${s.mintwarden.controlRoomId}`,
      /control room|outside/i,
    ],
    ['a room the subject is not in', (s) => `!mint @you --to @olivia --rooms ${s.ops}`, /./],
    [
      'a room that does not exist',
      () => '!mint @alice --rooms !nowhere:test.local',
      /not in|no room|unknown/i,
    ],
    ['an alias that leads nowhere', () => '!mint @alice --rooms #nowhere:test.local', /#nowhere/],
    ['no --rooms', () => '!mint @alice', /--rooms/],
    ['an empty --rooms', () => '!mint @alice --rooms ""', /--rooms/],
    ['a lifetime of zero', (s) => `!mint @alice --rooms ${s.ops} --ttl 0m`, /zero/i],
    ['a negative lifetime', (s) => `!mint @alice --rooms ${s.ops} --ttl=-1h`, /negative/i],
    ['a lifetime without unit', (s) => `!mint @alice --rooms ${s.ops} --ttl 5`, /unit/i],
    [
      'a lifetime past the maximum',
      (s) => `!mint @alice --rooms ${s.ops} --ttl 4w`,
      /7d|7 days|maximum|1 week/i,
    ],
    ['an unknown flag', (s) => `!mint @alice --room ${s.ops}`, /--rooms/],
    ['a doubled flag', (s) => `!mint @alice --rooms ${s.ops} --rooms ${s.diary}`, /--rooms/],
    ['a spare word', (s) => `!mint @alice now --rooms ${s.ops}`, /now/],
    [
      'a recipient without cross-signing',
      (s) => `!mint @alice --rooms ${s.ops} --to @keyless`,
      /cross-sign|verif|signed/i,
    ],
    ['an unknown grant', () => '!revoke 0000', /./],
    ['a verb nearly right', (s) => `!mnit @alice --rooms ${s.ops}`, /mint/],
  ])('%s', async (_name, line, expected) => {
    const before = livePuppetTokens(stage.synapse).length;
    const reply = textOf(await command(stage, line(stage)));
    expect(reply).toMatch(expected);
    expect(reply).not.toMatch(/\bis live\b|went wrong|undefined|null|\[object/);
    expect(livePuppetTokens(stage.synapse)).toHaveLength(before);
  });

  test('a word that is none of ours is left alone', async () => {
    const foreign = await stage.olivia.say(stage.mintwarden.controlRoomId, '!weather Berlin');
    const asked = await command(stage, '!status');
    expect(asked).toBeDefined();
    const answers = stage.olivia
      .timeline(stage.mintwarden.controlRoomId)
      .filter((m) => JSON.stringify(m.content['m.relates_to'] ?? '').includes(foreign));
    expect(answers).toEqual([]);
  });
});

describe('forgiving about typing', () => {
  test.each<[string, (s: Stage) => string]>([
    ['phone dashes', (s) => `!mint @alice —rooms ${s.ops} —ttl 1h —dry-run`],
    ['smart quotes', (s) => `!mint @alice --rooms ${s.ops} --reason “it’s fine” --dry-run`],
    ['no-break spaces and a newline', (s) => `!mint\u00a0@alice --rooms\u00a0${s.ops}\n--dry-run`],
    [
      'an apostrophe in a reason',
      (s) => `!mint @alice --rooms ${s.ops} --reason it's fine --ttl 1h --dry-run`,
    ],
    [
      'a matrix.to link',
      (s) => `!mint https://matrix.to/#/${s.users.alice.userId} --rooms ${s.ops} --dry-run`,
    ],
    ['a prefix of a room id', (s) => `!mint @alice --rooms ${s.ops.slice(0, 12)} --dry-run`],
    ['!mw', (s) => `!mw mint @alice --rooms ${s.ops} --dry-run`],
  ])('%s', async (_name, line) => {
    const reply = textOf(await command(stage, line(stage)));
    expect(reply).toContain('Ops');
    expect(reply).toMatch(/dry|would|nothing/i);
    expect(livePuppetTokens(stage.synapse)).toHaveLength(0);
  });

  test('an encrypted room is named as one', async () => {
    expect(textOf(await command(stage, `!mint @alice --rooms ${encryptedRoom} --dry-run`))).toMatch(
      /encrypted/i,
    );
  });
});

describe('a homeserver that is not itself', () => {
  test.each<[string, Parameters<Stage['proxy']['on']>[1], RegExp]>([
    ['errs', answerWith(500, { errcode: 'M_UNKNOWN', error: 'oops' }), /until|may/i],
    ['answers nonsense', garbage(), /until|may/i],
    [
      'answers a web page',
      answerWith(200, '<html>hello</html>', { 'content-type': 'text/html' }),
      /until|may/i,
    ],
    [
      'no longer knows the issuer as admin',
      answerWith(403, { errcode: 'M_FORBIDDEN', error: 'You are not a server admin' }),
      /admin/i,
    ],
  ])('%s: said, nothing live, what may be alive is named', async (_name, fault, expected) => {
    const planned = stage.proxy.on(LOGIN, fault, { times: 1 });
    const reply = textOf(await command(stage, `!mint @alice --rooms ${stage.ops}`));
    planned.remove();
    expect(reply).toMatch(expected);
    expect(reply).not.toMatch(/\bis live\b/);
    expect(livePuppetTokens(stage.synapse)).toHaveLength(0);
  });

  test('slow: it still answers once', async () => {
    const planned = stage.proxy.on(LOGIN, delay(3_000), { times: 1 });
    const id = await mint(stage, `!mint @alice --rooms ${stage.ops} --ttl 1m`);
    planned.remove();
    expect(textOf(await command(stage, `!revoke ${id}`))).toContain(id);
  });

  test('down for a while: what was begun is finished when it is back', async () => {
    const id = await mint(stage, `!mint @alice --rooms ${stage.ops} --ttl 10m`);
    await takeNotice(stage, stage.alice, id);
    await stage.proxy.refuseConnections();
    // How long it is away is what is tested.
    await realTime(3_000);
    await stage.proxy.acceptConnections();
    const reply = textOf(await command(stage, `!revoke ${id}`));
    expect(reply).toContain(id);
    await expect.poll(() => livePuppetTokens(stage.synapse).length, { timeout: 20_000 }).toBe(0);
  });
});

describe('a subject who cannot be told', () => {
  test('ignores the bot, and there are no server notices: refused', async () => {
    const deaf = await startJsClient(stage.synapse, await stage.synapse.registerUser('deaf'));
    await using _client: JsClient = deaf;
    await deaf.createRoom({ name: 'Alone', encrypted: false });
    await deaf.ignore([stage.mintwarden.botUserId]);
    const reply = textOf(await command(stage, '!mint @deaf --rooms all'));
    expect(reply).toMatch(/ignore|told/i);
  });
});
