import { afterAll, beforeAll, expect, test } from 'vitest';
import { loginWithPassword } from '../../../src/matrix/sessions.ts';
import { sharedSynapse } from '../../harness/shared-synapse.ts';
import { doctorStage } from './support/doctor-stage.ts';

/** What doctor says of the accounts of the bot, the issuer and the administrators. */
const stage = await doctorStage(sharedSynapse());
const { synapse, olivia, mintwarden, config, broken, fixed, run, configure, asItWas, asAdmin } = stage;

beforeAll(() => stage.start());
afterAll(() => stage[Symbol.asyncDispose]());

test('the homeserver limits the bot', async () => {
  await asAdmin('DELETE', `/_synapse/admin/v1/users/${mintwarden.botUserId}/override_ratelimit`);
  const finding = await broken('bot-rate-limit', /limits how fast/, 'warn');
  expect((await mintwarden.command('doctor')).status).toBe(0);
  expect((await mintwarden.command('doctor', '--strict')).status).toBe(3);
  await run(finding);
  await fixed('bot-rate-limit');
});

test('the bot is a server administrator', async () => {
  await asAdmin('PUT', `/_synapse/admin/v1/users/${mintwarden.botUserId}/admin`, { admin: true });
  const finding = await broken('bot-rights', /is a server administrator/);
  const said = await mintwarden.command('doctor', '--json');
  expect(said.status).toBe(1);
  expect(JSON.parse(said.output)).toMatchObject({ worst: 'fail' });
  await run(finding);
  await fixed('bot-rights');
});

test('the issuer has an exception from the rate limits', async () => {
  const { issuer } = await config();
  await asAdmin('POST', `/_synapse/admin/v1/users/${issuer.user_id}/override_ratelimit`, {
    messages_per_second: 0,
    burst_count: 0,
  });
  await run(await broken('issuer-rate-limit', /exception/));
  await fixed('issuer-rate-limit');
});

test('the issuer is no server administrator', async () => {
  const { issuer } = await config();
  await asAdmin('PUT', `/_synapse/admin/v1/users/${issuer.user_id}/admin`, { admin: false });
  await run(await broken('issuer-rights', /no server administrator/));
  await fixed('issuer-rights');
});

test('neither account is marked as a bot', async () => {
  const { issuer } = await config();
  for (const [id, userId] of [
    ['bot-consent', mintwarden.botUserId],
    ['issuer-consent', issuer.user_id],
  ] as const) {
    await asAdmin('PUT', `/_synapse/admin/v2/users/${userId}`, { user_type: null });
    await run(await broken(id, /not marked as a bot/, 'warn'));
    await fixed(id);
  }
});

test('somebody else is logged in as the bot, and as the issuer', async () => {
  const { bot, issuer } = await config();
  for (const [id, account] of [
    ['bot-sessions', bot],
    ['issuer-sessions', issuer],
  ] as const) {
    await loginWithPassword(
      synapse.baseUrl,
      account.user_id,
      account.password ?? '',
      "it's $(touch me) `mine`",
    );
    await run(await broken(id, /has other sessions: \w+ \(it's/, 'warn'));
    await fixed(id);
  }
});

test('an admin who does not exist', async () => {
  await configure({ admins: [olivia.userId, '@nobody:test.local'] });
  await broken('admins', /@nobody:test\.local does not exist/, 'warn');
  await asItWas();
  await fixed('admins');
});
