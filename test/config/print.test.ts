import { expect, test } from 'vitest';
import { effectiveSettings, settingsToYaml, readConfigSource } from '../../src/config/index.ts';
import { folder, GOOD } from './folder.ts';

const SECRET = 'syt_nobody_may_see_this_000';

test('says where each value came from', async () => {
  await using it = await folder(`${GOOD}policy:\n  max_ttl: 90m\n`);
  const entries = effectiveSettings(
    await readConfigSource(it.file, { MINTWARDEN_LOG_LEVEL: 'warn', MINTWARDEN_BOT_PASSWORD: SECRET }),
  );
  const of = (key: string) => entries.find((entry) => entry.key === key);
  expect(of('homeserver.server_name')).toEqual({
    key: 'homeserver.server_name',
    value: 'example.org',
    from: 'bot.yaml:3',
  });
  expect(of('policy.max_ttl')).toEqual({
    key: 'policy.max_ttl',
    value: '90m',
    from: `bot.yaml:${String(GOOD.split('\n').length + 1)}`,
  });
  expect(of('policy.default_ttl')).toEqual({ key: 'policy.default_ttl', value: '1h', from: 'default' });
  expect(of('log.level')).toEqual({ key: 'log.level', value: 'warn', from: '$MINTWARDEN_LOG_LEVEL' });
  expect(of('bot.password')).toEqual({ key: 'bot.password', value: null, from: '$MINTWARDEN_BOT_PASSWORD' });
  expect(of('state_dir')?.value).toBe(`${it.dir}/state`);
});

test('a secret in the file or the environment is in no form of it', async () => {
  await using it = await folder(
    GOOD.replace('access_token_file: secrets/bot.token', `access_token: ${SECRET}`),
  );
  const entries = effectiveSettings(await readConfigSource(it.file, { MINTWARDEN_ISSUER_PASSWORD: SECRET }));
  expect(JSON.stringify(entries) + settingsToYaml(entries)).not.toContain(SECRET);
});

test('what is printed can stand in the file’s place', async () => {
  await using it = await folder(
    `${GOOD}policy:\n  presets: { reader: { explanation: 'reads: from “here” # alone', can: [read], from: ['192.0.2.0/24'] } }\n`,
  );
  const printed = settingsToYaml(
    effectiveSettings(
      await readConfigSource(it.file, { MINTWARDEN_ADMINS: '@a:example.org,@b:example.org' }),
    ),
  );
  const before = await it.load({ MINTWARDEN_ADMINS: '@a:example.org,@b:example.org' });
  await it.write('bot.yaml', printed);
  expect(await it.load()).toEqual(before);
});
