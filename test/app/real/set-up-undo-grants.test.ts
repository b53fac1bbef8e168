import { spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { isClean, mint, takeDelivery, takeNotice, textOf } from '../../harness/control-room.ts';
import type { TimelineEvent } from '../../harness/encrypted-client.ts';
import { matrixRequest } from '../../harness/matrix-http.ts';
import { runMintwarden } from '../../harness/mintwarden.ts';
import { answerWith, hold } from '../../harness/proxy.ts';
import { livePuppetTokens } from '../../harness/puppet-tokens.ts';
import { setTheStage } from '../../harness/stage.ts';

const MAIN = join(import.meta.dirname, '../../../src/mintwarden.mjs');

test('init --undo ends every grant, waits for the homeserver, tells everybody, and only then takes anything away', async () => {
  await using stage = await setTheStage({ proxied: true });
  const { mintwarden, synapse, proxy, users } = stage;
  const told = takeNotice(stage, stage.alice, '');
  const id = await mint(stage, `!mint @alice --rooms ${stage.ops} --ttl 2h`);
  await takeDelivery(stage, stage.olivia, id);
  await told;
  const upstream =
    livePuppetTokens(synapse).find(({ subject }) => subject === users.alice.userId)?.token ?? '';
  const works = (token: string) =>
    matrixRequest(synapse.baseUrl, 'GET', '/_matrix/client/v3/account/whoami', { token }).then(
      () => true,
      () => false,
    );
  expect(await works(upstream)).toBe(true);
  const undo = () => runMintwarden(['init', '--undo', '--yes', '--close', '--dir', mintwarden.dir]);

  // While the service runs it has the ledger, and would go on minting.
  expect(await undo()).toMatchObject({
    status: 1,
    output: expect.stringContaining('Stop the Mintwarden that is running'),
  });
  expect(await works(upstream)).toBe(true);
  await mintwarden.stop();

  // The homeserver does not take the log-out: the end is named, and nothing is taken away.
  const refused = proxy.on({ method: 'POST', path: '/logout' }, answerWith(500));
  const pending = await undo();
  expect(pending).toMatchObject({
    status: 1,
    output: expect.stringMatching(
      new RegExp(`grant ${id}, for ${users.alice.userId}: until [^]*Nothing was removed`),
    ),
  });
  expect(refused.hits).toBeGreaterThan(0);
  expect(await works(upstream)).toBe(true);
  expect(await readdir(mintwarden.dir)).toContain('bot.yaml');
  refused.remove();

  const bye = stage.olivia.waitForMessage(
    (m) =>
      m.roomId === mintwarden.controlRoomId &&
      isClean(m) &&
      textOf(m).includes('is being removed by operator:'),
    {
      what: 'the last message',
    },
  );
  const ended = stage.alice.waitForMessage((m) => isClean(m) && /ended|revoked/i.test(textOf(m)), {
    what: 'the end told to alice',
  });
  // KillResult when the last message has just arrived, and again when the room is closed: nobody hears anything
  // twice.
  const control = encodeURIComponent(mintwarden.controlRoomId);
  for (const path of [new RegExp(`/rooms/${control}/send/.*undo-`), '/_synapse/admin/v1/rooms/']) {
    const held = proxy.on({ path }, hold('after'), { times: 1 });
    const flags = ['init', '--undo', '--yes', '--close', '--dir', mintwarden.dir];
    const child = spawn(process.execPath, [MAIN, ...flags], { stdio: 'ignore' });
    const gone = new Promise((resolve) => child.once('exit', resolve));
    await held.reached;
    child.kill('SIGKILL');
    await gone;
    held.release();
  }
  await bye;
  const done = await undo();
  expect(done.output).toMatch(
    /is dead at the homeserver[^]*Closed[^]*Deactivated[^]*Deactivated[^]*Kept the ledger[^]*is undone/,
  );
  expect(done.status).toBe(0);
  expect(await works(upstream)).toBe(false);
  const isBye = (m: TimelineEvent) => textOf(m).includes('is being removed by operator:');
  expect(stage.olivia.timeline(mintwarden.controlRoomId).filter(isBye)).toHaveLength(1);
  await ended;
  const left = await readdir(mintwarden.dir);
  expect(left).not.toContain('bot.yaml');
  expect(left.filter((name) => ['secrets', 'state'].includes(name))).toEqual([]);
  const archive = left.find((name) => name.startsWith('mintwarden-ledger-')) ?? '';
  const db = new DatabaseSync(join(mintwarden.dir, archive), { readOnly: true });
  expect(db.prepare(`SELECT count(*) AS n FROM audit`).get()?.['n']).toBeGreaterThan(3);
  db.close();
  expect(await undo()).toMatchObject({ status: 0, output: expect.stringContaining('nothing to undo') });
});
