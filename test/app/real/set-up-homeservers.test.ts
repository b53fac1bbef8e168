import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { doctor } from '../../../src/app/doctor/index.ts';
import { init, prepareInit, type InitOptions } from '../../../src/app/init/index.ts';
import { loadConfig } from '../../../src/config/index.ts';
import { matrixRequest, statusOf } from '../../harness/matrix-http.ts';
import { sharedSynapse } from '../../harness/shared-synapse.ts';
import { startSynapse, type SynapseServer } from '../../harness/synapse.ts';
import { uniqueName } from '../../harness/synapse-users.ts';
import { silentLog } from '../../support/silent-log.ts';

/** Homeservers as they are set up elsewhere: what gets in the way is named, and nothing is left half made. */

async function answers(
  synapse: SynapseServer,
  more: Partial<InitOptions> = {},
): Promise<InitOptions & { lines: string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'mintwarden-init-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const lines: string[] = [];
  return {
    homeserverUrl: synapse.baseUrl,
    adminToken: synapse.adminToken,
    publicUrl: 'https://tokens.example.org',
    directory: join(folder, 'etc'),
    listen: '127.0.0.1:0',
    admins: [(await synapse.uniqueUser('olivia')).userId],
    botLocalpart: uniqueName('bot'),
    issuerLocalpart: uniqueName('issuer'),
    out: (line) => lines.push(line),
    log: silentLog,
    lines,
    ...more,
  };
}

const exists = (synapse: SynapseServer, localpart: string | undefined): Promise<number> =>
  statusOf(
    matrixRequest(
      synapse.baseUrl,
      'GET',
      `/_synapse/admin/v2/users/@${String(localpart)}:${synapse.serverName}`,
      { token: synapse.adminToken },
    ),
  );

test('block_non_admin_invites: named before anything but the bot is made, by doctor too, and gone on from', async () => {
  await using synapse = await startSynapse({ config: { block_non_admin_invites: true } });
  const options = await answers(synapse);
  await expect(init(options)).rejects.toMatchObject({
    code: 'homeserver-refused',
    message: expect.stringMatching(/block_non_admin_invites.*Only the account @bot\S+ was made so far/),
    hint: expect.stringMatching(/block_non_admin_invites: false.*run init again.*--undo/),
  });
  expect([
    await exists(synapse, options.botLocalpart),
    await exists(synapse, options.issuerLocalpart),
  ]).toEqual([200, 404]);

  const dir = synapse.dir;
  const file = join(dir, 'homeserver.yaml');
  const text = await readFile(file, 'utf8');
  expect(text).toContain('block_non_admin_invites: true');
  await synapse.stop();
  await writeFile(file, text.replace('block_non_admin_invites: true', 'block_non_admin_invites: false'));
  await synapse.start();
  const { configFile } = await init(options);
  const config = await loadConfig(configFile, {});
  const finding = async () =>
    (await doctor(config, silentLog)).find(({ id }) => id === 'bot-invites')?.severity;
  expect(await finding()).toBe('ok');

  await synapse.stop();
  await writeFile(file, text);
  await synapse.start();
  expect(await finding()).toBe('fail');
});

test('a limit on logins is waited for, and named', async () => {
  const limit = { per_second: 0.5, burst_count: 1 };
  await using synapse = await startSynapse({
    config: { rc_login: { address: limit, account: limit, failed_attempts: limit } },
  });
  const options = await answers(synapse);
  await init(options);
  expect(options.lines).toContainEqual(expect.stringMatching(/limits logins \(rc_login.*waiting \d s/));
});

test('an address that the gateway cannot listen on is refused before anything is made', async () => {
  const synapse = sharedSynapse();
  const taken = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void taken.close());
  await new Promise((resolve) => taken.once('listening', resolve));
  const { port } = taken.address() as AddressInfo;
  for (const [listen, why] of [
    [`127.0.0.1:${String(port)}`, /something else listens there/],
    ['192.0.2.1:8009', /no address of this machine/],
  ] as const) {
    const options = await answers(synapse, { listen });
    await expect(prepareInit(options)).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringMatching(why),
      hint: expect.stringMatching(/--listen/),
    });
    expect(await exists(synapse, options.botLocalpart)).toBe(404);
  }
});
