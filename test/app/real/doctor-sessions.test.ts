import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { matrixRequest } from '../../harness/matrix-http.ts';
import { startSynapse } from '../../harness/synapse.ts';
import { doctorStage } from './support/doctor-stage.ts';

const V3 = '/_matrix/client/v3';

/** What doctor says of the sessions of both accounts, with the service stopped. */

// One of its own: it is stopped in between.
const synapse = await startSynapse();
const stage = await doctorStage(synapse);
const { mintwarden, config, look, broken, fixed, run, asAdmin } = stage;

beforeAll(async () => {
  await stage.start();
  await mintwarden.stop();
});
afterAll(async () => {
  await stage[Symbol.asyncDispose]();
  await synapse[Symbol.asyncDispose]();
});

const updatesLeft = async (): Promise<number> => {
  const { current_updates: current } = await asAdmin('GET', '/_synapse/admin/v1/background_updates/status');
  return Object.keys(current as object).length;
};

const state = (...more: string[]): string => join(mintwarden.dir, 'state', ...more);

test('the homeserver is down; and the bot’s session is not signed, which the service repairs', async () => {
  await synapse.stop();
  await broken('homeserver', /cannot be reached/);
  // As after a first start that was cut off before the signature was sent.
  const db = new DatabaseSync(synapse.databasePath, { timeout: 10_000 });
  db.prepare('DELETE FROM e2e_cross_signing_signatures WHERE user_id = ?').run(mintwarden.botUserId);
  for (const { device_id: deviceId, key_json: json } of db
    .prepare('SELECT device_id, key_json FROM e2e_device_keys_json WHERE user_id = ?')
    .all(mintwarden.botUserId)) {
    const keys = JSON.parse(String(json)) as { signatures: Record<string, Record<string, string>> };
    const own = `ed25519:${String(deviceId)}`;
    keys.signatures = {
      [mintwarden.botUserId]: { [own]: keys.signatures[mintwarden.botUserId]?.[own] ?? '' },
    };
    db.prepare('UPDATE e2e_device_keys_json SET key_json = ? WHERE user_id = ? AND device_id = ?').run(
      JSON.stringify(keys),
      mintwarden.botUserId,
      String(deviceId),
    );
  }
  db.close();
  await synapse.start();
  await fixed('homeserver');
  expect((await broken('bot-device-signed', /not signed/)).fix).toMatch(/^Restart the service/);
  await mintwarden.start();
  await fixed('bot-device-signed');
  await mintwarden.stop();
});

test('the encryption store is lost', async () => {
  await rm(state('crypto'), { recursive: true });
  await run(await broken('bot-device', /encryption store of the bot's session is lost/));
  await fixed('bot-device');
  await fixed('bot-device-signed');
  await fixed('public-address');
  await mintwarden.stop();
});

test.each([
  ['issuer-token', 'issuer'],
  ['bot-token', 'bot'],
] as const)('%s: the session was ended', async (id, which) => {
  await matrixRequest(synapse.baseUrl, 'POST', `${V3}/logout`, {
    token: (await config())[which].access_token,
    body: {},
  });
  await run(await broken(id, /is not known to the homeserver/));
  await fixed(id);
  await fixed(which === 'bot' ? 'bot-rate-limit' : 'issuer-rights');
});

test('with both sessions new, it starts, and all is well', async () => {
  await mintwarden.start();
  const bad = (await look()).filter(({ severity }) => severity !== 'ok');
  expect(bad).toEqual([]);
  await mintwarden.stop();
});

test('the bot’s account is locked, or deactivated', async () => {
  await asAdmin('PUT', `/_synapse/admin/v2/users/${mintwarden.botUserId}`, { locked: true });
  await run(await broken('bot-account', /is locked/));
  await fixed('bot-account');
  await fixed('bot-token');
  await asAdmin('POST', `/_synapse/admin/v1/deactivate/${mintwarden.botUserId}`, { erase: false });
  // A young Synapse brings nobody back: it still makes the index that this takes.
  await expect.poll(updatesLeft, { timeout: 120_000, interval: 500 }).toBe(0);
  await run(await broken('bot-account', /is deactivated/));
  await fixed('bot-account');
  await fixed('bot-token');
});
