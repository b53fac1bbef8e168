import { chmod, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { redactedConfig, toPolicy } from '../../src/config/index.ts';
import { jsonSchema } from '../../src/config/json-schema.ts';
import { PRESETS } from '../../src/domain/preset.ts';
import { KEYS } from '../../src/config/keys.ts';
import { variableName } from '../../src/config/environment.ts';
import { gatewayLimits } from '../../src/app/gateway-limits.ts';
import { DEFAULT_LIMITS } from '../../src/gateway/limits/limits.ts';
import { folder, GOOD } from './folder.ts';

const ROOT = join(import.meta.dirname, '../..');

test('the least configuration, with its defaults', async () => {
  await using it = await folder();
  const config = await it.load();
  expect(config.homeserver).toEqual({ url: 'http://127.0.0.1:8008', server_name: 'example.org' });
  expect(config.bot).toEqual({ user_id: '@mintwarden:example.org', access_token: 'syt_bot_secret_000000' });
  expect(config.gateway).toEqual({
    listen: { host: '127.0.0.1', port: 8009 },
    public_url: 'https://tokens.example.org',
    trusted_proxies: [],
    transport: 'auto',
    filter: 'auto',
    processes: 0,
    limits: {
      writes_per_second: 0.1,
      writes_at_once: 5,
      personal_per_second: 1,
      personal_at_once: 20,
      requests_per_second: 50,
      requests_at_once: 200,
      open_requests: 64,
      connections: 10_000,
      long_poll: 300_000,
      body_size: 262_144,
      upload_size: 52_428_800,
      download_size: 2_147_483_648,
    },
  });
  // Nothing changes for who says nothing.
  expect({ ...DEFAULT_LIMITS, ...gatewayLimits(config.gateway) }).toEqual(DEFAULT_LIMITS);
  expect(config.state_dir).toBe(join(it.dir, 'state'));
  expect(config.sealing_key_file).toBe(join(it.dir, 'secrets/sealing.key'));
  expect(toPolicy(config)).toEqual({
    admins: ['@you:example.org'],
    defaultTtlMs: 3_600_000,
    maxTtlMs: 604_800_000,
    privilegedSubjects: [],
    protectedSubjects: [],
    reasonRequired: false,
    deliverWithinMs: 900_000,
    redactAfterMs: 600_000,
    leaseMs: 21_600_000,
    commandMaxAgeMs: 300_000,
    maxLiveGrants: 1_000,
    maxLiveGrantsPerSubject: 20,
    presets: new Map(Object.entries(PRESETS)),
  });
  expect(config.log).toEqual({ level: 'info', format: 'json' });
});

test('the dump holds no secret', async () => {
  await using it = await folder();
  const dump = JSON.stringify(redactedConfig(await it.load({ MINTWARDEN_BOT_PASSWORD: 'hunter2' })));
  expect(dump).toContain('@mintwarden:example.org');
  expect(dump).not.toMatch(/syt_|hunter2/);
});

test('the example loads, explains every key, and its commented values are the defaults', async () => {
  const example = await readFile(join(ROOT, 'bot.example.yaml'), 'utf8');
  expect(example.split('\n')[0]).toBe('# yaml-language-server: $schema=config/bot.schema.json');
  const names = new Set([...example.matchAll(/^ *(?:# )?(?:or: )?([a-z_]+):/gm)].map((match) => match[1]));
  expect(KEYS.map(({ path }) => path.at(-1)).filter((name) => !names.has(name))).toEqual([]);

  const secrets = [
    'mintwarden.token',
    'mintwarden.password',
    'mintwarden-issuer.token',
    'mintwarden-issuer.password',
  ];
  const bare = await folder(example);
  await using _bare = bare;
  const whole = await folder(
    example
      .replace(/^( *)# (?!or: )([a-z_]+:)/gm, '$1$2')
      .replace(/privileged_subjects: .*|protected_subjects: .*/g, (line) => `${line.split(':')[0] ?? ''}: []`)
      .replace(/presets: .*/, 'presets: {}'),
  );
  await using _whole = whole;
  for (const it of [bare, whole]) for (const name of secrets) await it.write(`secrets/${name}`, 'x');
  const [one, two] = [await bare.load(), await whole.load()];
  expect({ policy: one.policy, log: one.log, gateway: one.gateway }).toEqual({
    policy: two.policy,
    log: two.log,
    gateway: two.gateway,
  });
});

test('the JSON Schema for editors is the one of the code', async () => {
  expect(await readFile(join(ROOT, 'config/bot.schema.json'), 'utf8')).toBe(jsonSchema());
});

test('limits are read as they are written, in the file and in the environment', async () => {
  await using it = await folder(
    `${GOOD}  limits: { writes_per_second: 2, upload_size: 100M, long_poll: 30s }\n`,
  );
  const { limits } = (await it.load({ MINTWARDEN_GATEWAY_LIMITS_PERSONAL_PER_SECOND: '0.5' })).gateway;
  expect(limits).toMatchObject({
    writes_per_second: 2,
    personal_per_second: 0.5,
    upload_size: 104_857_600,
    long_poll: 30_000,
  });
});

test.each([
  ['writes_per_second: 0', /limits\.writes_per_second .*too small/],
  ['writes_per_second: -1', /limits\.writes_per_second .*too small/],
  ['writes_per_second: often', /limits\.writes_per_second .*no number/],
  ['writes_at_once: 0', /limits\.writes_at_once .*too small/],
  ['writes_at_once: 1.5', /limits\.writes_at_once .*no whole number/],
  ['upload_size: 50 MB', /limits\.upload_size .*no size such as 50M/],
  ['upload_size: 0M', /limits\.upload_size .*too small/],
  ['body_size: 1G', /limits\.body_size .*too large/],
  ['long_poll: 0s', /limits\.long_poll/],
  ['writes: 5', /gateway\.limits\.writes is no key/],
])('limits that are none: %s', async (line, says) => {
  await using it = await folder(`${GOOD}  limits: { ${line} }\n`);
  await expect(it.load()).rejects.toThrow(says);
});

const complaints: [what: string, spoil: (good: string) => string, says: RegExp[]][] = [
  [
    'an unknown key, mistyped',
    (good) => `${good}  listn: 127.0.0.1:1\n`,
    [/bot\.yaml:15: gateway\.listn is no key .* Did you mean gateway\.listen\?/],
  ],
  [
    'a key in the wrong place',
    (good) => `${good}public_url: https://a.b\n`,
    [/bot\.yaml:15: public_url is no key .* Did you mean gateway\.public_url\?/],
  ],
  [
    'a proxy that is anybody',
    (good) => `${good}  trusted_proxies: ['127.0.0.1', '::/0']\n`,
    [/gateway\.trusted_proxies has ::\/0 in it: then everybody says themselves where they come from/],
  ],
  [
    'a network that is none',
    (good) => `${good}  trusted_proxies: [proxy.example.org]\n`,
    [/gateway\.trusted_proxies\.0 .*is no network/],
  ],
  [
    'a key from nowhere',
    (good) => `${good}zzzzzzzz: 1\n`,
    [/zzzzzzzz is no key .* Here belong: homeserver, bot/],
  ],
  [
    'a wrong type',
    (good) => good.replace("['@you:example.org']", "'@you:example.org'"),
    [/bot\.yaml:12: admins is .*a text where a list belongs.*Write for example: \["@you:example.org"\]/],
  ],
  [
    'an entry of a list',
    (good) => good.replace("['@you:example.org']", "\n  - '@you:example.org'\n  - bob"),
    [/bot\.yaml:14: admins\.1 is "bob", which is no Matrix user id\. Write for example: @you:example\.org/],
  ],
  ['a missing section', (good) => good.replace(/gateway:\n.*\n/, ''), [/bot\.yaml: gateway is missing/]],
  [
    'a missing key',
    (good) => good.replace(/ {2}server_name.*\n/, ''),
    [/bot\.yaml:1: homeserver\.server_name is missing\. Write for example: example\.org/],
  ],
  [
    'a duration without unit',
    (good) => `${good}policy:\n  max_ttl: 7\n`,
    [/bot\.yaml:16: policy\.max_ttl is 7, which is a number where a text belongs\. Write for example: 7d/],
  ],
  [
    'a duration that is none',
    (good) => `${good}policy:\n  max_ttl: soon\n`,
    [/policy\.max_ttl is "soon", which is no duration\. Write for example: 7d/],
  ],
  [
    'a preset that cannot be granted',
    (good) =>
      `${good}policy: { presets: { mine: { explanation: x, can: [read, 'account-data:m.direct'], from: [10.0.0.1/8], extra: 1 } } }\n`,
    [
      /policy\.presets\.mine\.can\.1 is "account-data:m\.direct", which is not understood: account-data:m\.direct is never granted\./,
      /policy\.presets\.mine\.from\.0 is "10\.0\.0\.1\/8", which is not understood/,
      /policy\.presets\.mine\.extra is no key of the configuration/,
    ],
  ],
  [
    'a lease too short',
    (good) => `${good}policy: {lease: 5s}\n`,
    [/policy\.lease is "5s", which is too short/],
  ],
  [
    'a default above the maximum',
    (good) => `${good}policy: {default_ttl: 2d, max_ttl: 1d}\n`,
    [/policy\.default_ttl is longer than policy\.max_ttl/],
  ],
  [
    'an unknown level',
    (good) => `${good}log: {level: wran}\n`,
    [/log\.level is "wran".*Did you mean warn\? Allowed: debug, info, warn, error/],
  ],
  [
    'another issuer',
    (good) => good.replace('kind: synapse', 'kind: synapes'),
    [/issuer\.kind .*Did you mean synapse\?/],
  ],
  [
    'plain http',
    (good) => good.replace('https://tokens', 'http://tokens'),
    [/bot\.yaml:14: gateway\.public_url .*https.*Write for example: https:\/\/tokens\.example\.org/],
  ],
  [
    'a public address with a path',
    (good) => good.replace('.org/\n', '.org/gw\n'),
    [/gateway\.public_url must be an address alone/],
  ],
  ['a port too high', (good) => `${good}  listen: 127.0.0.1:70000\n`, [/gateway\.listen .*port above 65535/]],
  [
    'one account for both',
    (good) => good.replace('@issuer:', '@mintwarden:'),
    [/issuer\.user_id is the same as bot\.user_id/],
  ],
  [
    'an account elsewhere',
    (good) => good.replace('@issuer:example.org', '@issuer:example.com'),
    [/issuer\.user_id is @issuer:example\.com, which is not on example\.org/],
  ],
  [
    'the bot as admin',
    (good) => good.replace('@you', '@mintwarden'),
    [/admins has @mintwarden:example\.org in it/],
  ],
  [
    'tokens for the issuer',
    (good) => `${good}policy: {privileged_subjects: ['@issuer:example.org']}\n`,
    [/never made for Mintwarden's own accounts/],
  ],
  [
    'a secret twice',
    (good) =>
      good.replace(
        'access_token_file: secrets/bot.token',
        'access_token_file: secrets/bot.token\n  access_token: syt_x',
      ),
    [/bot\.access_token and bot\.access_token_file are both set/],
  ],
  [
    'no secret',
    (good) => good.replace('  access_token_file: secrets/bot.token\n', ''),
    [/bot\.access_token_file is missing/],
  ],
  [
    'an unquoted room',
    (good) => good.replace("'!abc:example.org'", '!abc:example.org'),
    [/bot\.yaml:11: .*must be put in quotes/],
  ],
  [
    'an unquoted user',
    (good) => good.replace("'@mintwarden:example.org'", '@mintwarden:example.org'),
    [/bot\.yaml:5: .*must be put in quotes/],
  ],
  ['a key twice', (good) => `${good}admins: []\n`, [/bot\.yaml:15: This key stands here a second time/]],
  ['tabs', (good) => good.replace('  url', '\turl'), [/bot\.yaml:2: /]],
  ['no map at all', () => '- a\n- b\n', [/configuration/]],
  ['an empty file', () => '', [/homeserver is missing/, /admins is missing/]],
  [
    'several at once',
    (good) => good.replace('admins: [', 'admin: ['),
    [/2 problems/, /admin is no key .* Did you mean admins\?/, /admins is missing/],
  ],
];
test.each(complaints)('%s', async (_what, spoil, says) => {
  await using it = await folder(spoil(GOOD));
  const complaint = await it.complaint();
  for (const part of says) expect(complaint).toMatch(part);
});

test.each([
  ['missing', (path: string) => rm(path), /bot\.yaml:6: bot\.access_token_file: .*bot\.token does not exist/],
  [
    'readable by everybody',
    (path: string) => chmod(path, 0o644),
    /bot\.token can be read by every user.*chmod 600/,
  ],
] as const)('a secret file that is %s', async (_what, spoil, says) => {
  await using it = await folder();
  await spoil(join(it.dir, 'secrets/bot.token'));
  expect(await it.complaint()).toMatch(says);
});

test('a secret file that is empty, or holds more than the secret', async () => {
  await using it = await folder();
  await it.write('secrets/bot.token', ' \n');
  expect(await it.complaint()).toMatch(/bot\.token is empty/);
  await it.write('secrets/bot.token', 'syt_one\nsyt_two\n');
  const complaint = await it.complaint();
  expect(complaint).toMatch(/more than one word/);
  expect(complaint).not.toContain('syt_');
});

test.skipIf(process.getuid?.() === 0)('a secret file that may not be read', async () => {
  await using it = await folder();
  await chmod(join(it.dir, 'secrets/bot.token'), 0o000);
  expect(await it.complaint()).toMatch(/may not be read by the user/);
});

test('a secret in the file itself: then the file must be private', async () => {
  await using it = await folder(
    GOOD.replace('access_token_file: secrets/bot.token', 'access_token: syt_inline'),
  );
  expect((await it.load()).bot.access_token).toBe('syt_inline');
  await chmod(it.file, 0o644);
  expect(await it.complaint()).toMatch(/The configuration holds a secret and can be read by every user/);
});

test('no complaint ever shows a secret', async () => {
  const spoilt = [
    GOOD.replace('access_token_file: secrets/bot.token', 'access_token: [syt_inline]'),
    GOOD.replace('access_token_file: secrets/bot.token', 'access_token: syt_inline: x'),
    GOOD.replace('access_token_file: secrets/bot.token', 'access_token: {a: syt_inline}'),
    GOOD.replace('access_token_file: secrets/bot.token', 'access_token: "syt_inline'),
    GOOD.replace(
      'access_token_file: secrets/bot.token',
      'access_token: "syt_inline"\n  access_token: syt_inline',
    ),
  ];
  for (const yaml of spoilt) {
    await using it = await folder(yaml);
    expect(await it.complaint()).not.toContain('syt_inline');
  }
  await using it = await folder();
  expect(await it.complaint({ MINTWARDEN_BOT_ACCESS_TOKN: 'syt_inline' })).not.toContain('syt_');
});

test('a configuration that is not there', async () => {
  await using it = await folder();
  await rm(it.file);
  await expect(it.load()).rejects.toMatchObject({
    code: 'configuration',
    message: expect.stringContaining('does not exist'),
    hint: expect.stringContaining('mintwarden init'),
  });
});

test('the environment overrides every key; each has a variable of its own', () => {
  const variables = KEYS.map(({ path }) => variableName(path));
  expect(new Set(variables).size).toBe(variables.length);
  expect(variables).toContain('MINTWARDEN_GATEWAY_PUBLIC_URL');
});

test('the environment: lists, numbers, booleans, secrets instead of files, sections the file lacks', async () => {
  await using it = await folder();
  const config = await it.load({
    MINTWARDEN_ADMINS: '@a:example.org, @b:example.org',
    MINTWARDEN_POLICY_MAX_LIVE_GRANTS: '7',
    MINTWARDEN_POLICY_REASON_REQUIRED: 'true',
    MINTWARDEN_BOT_ACCESS_TOKEN: 'syt_env',
    MINTWARDEN_GATEWAY_LISTEN: '[::1]:0',
    MINTWARDEN_LOG_LEVEL: '',
    MINTWARDEN_CONFIG: 'elsewhere',
    PATH: '/bin',
  });
  expect(config.admins).toEqual(['@a:example.org', '@b:example.org']);
  expect(config.policy).toMatchObject({ max_live_grants: 7, reason_required: true, max_ttl: 604_800_000 });
  expect(config.bot.access_token).toBe('syt_env');
  expect(config.gateway.listen).toEqual({ host: '::1', port: 0 });
  expect(config.log.level).toBe('info');
});

test('the environment: mistakes are named by their variable', async () => {
  await using it = await folder();
  expect(await it.complaint({ MINTWARDEN_GATEWAY_PUBLIC_ULR: 'x' })).toMatch(
    /MINTWARDEN_GATEWAY_PUBLIC_ULR means nothing\. Did you mean MINTWARDEN_GATEWAY_PUBLIC_URL\?/,
  );
  expect(await it.complaint({ MINTWARDEN_POLICY_MAX_TTL: 'x' })).toMatch(
    /^ *MINTWARDEN_POLICY_MAX_TTL: policy\.max_ttl is "x", which is no duration/m,
  );
  expect(await it.complaint({ MINTWARDEN_POLICY_MAX_LIVE_GRANTS: '-1' })).toMatch(
    /policy\.max_live_grants is "-1", which/,
  );
});

test('presets are added, and may take the place of one that is built in', async () => {
  const presets =
    '{ reader: { explanation: reads, can: [read], allow: ["GET /**"], deny: ["* /x"], from: [192.0.2.0/24] }, hud: { explanation: ours, can: [read, receipts] } }';
  await using it = await folder(`${GOOD}policy:\n  presets: ${presets}\n`);
  const policy = toPolicy(await it.load());
  expect(policy.presets.get('reader')).toEqual({
    explanation: 'reads',
    can: ['read'],
    limits: {
      rules: [
        [
          { verdict: 'deny', on: '* /x' },
          { verdict: 'allow', on: 'GET /**' },
        ],
      ],
      from: ['192.0.2.0/24'],
    },
  });
  expect(policy.presets.get('hud')?.can).toEqual(['read', 'receipts']);
  expect(policy.presets.get('agent')).toEqual(PRESETS['agent']);
});
