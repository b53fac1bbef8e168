import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { doctor } from '../../../src/app/doctor/index.ts';
import { loadConfig } from '../../../src/config/index.ts';
import { setUpMintwarden } from '../../harness/mintwarden.ts';
import { startSynapse } from '../../harness/synapse.ts';
import { silentLog } from '../../support/silent-log.ts';

const LIFETIME_S = 45;

/** What of the accounts' sessions doctor does not find good. */
async function ended(configPath: string): Promise<Record<string, string>> {
  const findings = await doctor(await loadConfig(configPath, {}), silentLog);
  return Object.fromEntries(
    findings
      .filter(({ id, severity }) => id.endsWith('-token') && severity !== 'ok')
      .map(({ id, severity, found }) => [id, `${severity} ${found}`]),
  );
}

test('where sessions end by themselves both accounts are logged in again, as the same devices', async () => {
  await using synapse = await startSynapse({ config: { session_lifetime: `${String(LIFETIME_S)}s` } });
  const olivia = await synapse.uniqueUser('olivia');
  await using mintwarden = await setUpMintwarden({
    homeserverUrl: synapse.baseUrl,
    adminToken: synapse.adminToken,
    admins: [olivia.userId],
  });
  const device = (): Promise<string> => readFile(join(mintwarden.dir, 'state/crypto/device'), 'utf8');
  const renewed = async (): Promise<readonly string[]> => {
    const lines = (await readFile(mintwarden.logPath, 'utf8')).split('\n');
    return lines.filter((line) => line.includes('its account was logged in again'));
  };
  await mintwarden.start();
  const before = await device();
  const later = { timeout: (LIFETIME_S + 45) * 1_000, interval: 500 };
  await expect.poll(async () => (await renewed()).length, later).toBeGreaterThanOrEqual(2);
  await expect
    .poll(async () => (await fetch(`${mintwarden.monitoringUrl}/ready`)).status, { timeout: 20_000 })
    .toBe(200);
  expect(await device()).toBe(before);
  expect(await ended(mintwarden.configPath)).toEqual({});
  expect(await readFile(mintwarden.logPath, 'utf8')).not.toContain('bot-logged-out');

  // Down for longer than a session lives.
  await mintwarden.stop();
  await expect
    .poll(() => ended(mintwarden.configPath), later)
    .toMatchObject({
      'bot-token': expect.stringMatching(/^warn .*session_lifetime/),
      'issuer-token': expect.stringMatching(/^warn .*session_lifetime/),
    });
  await mintwarden.start();
  expect(await ended(mintwarden.configPath)).toEqual({});
  expect(await device()).toBe(before);
});
