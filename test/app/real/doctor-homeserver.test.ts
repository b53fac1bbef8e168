import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { answerWith, type Fault } from '../../harness/proxy.ts';
import { sharedSynapse } from '../../harness/shared-synapse.ts';
import { doctorStage } from './support/doctor-stage.ts';
import { served } from './support/served.ts';

/** What doctor says of the homeserver. */
const stage = await doctorStage(sharedSynapse());
const { synapse, proxy, goodYaml, look, broken, fixed, configure, asItWas } = stage;

beforeAll(() => stage.start());
afterAll(() => stage[Symbol.asyncDispose]());

/** Through the proxy, with something planned. */
async function behind(fault: () => { remove: () => void }, looking: () => Promise<void>): Promise<void> {
  await configure({ 'homeserver.url': proxy.baseUrl });
  const planned = fault();
  try {
    await looking();
  } finally {
    planned.remove();
  }
}

test('is not at its address', async () => {
  await using page = await served((_, response) => response.writeHead(404).end('<h1>Not found</h1>'));
  await configure({ 'homeserver.url': page.url });
  await broken('homeserver', /no Matrix homeserver/);
  expect((await look()).map(({ id }) => id)).not.toContain('bot-token');
  await asItWas();
  await fixed('homeserver');
});

test('has another name', async () => {
  await configure({ 'homeserver.server_name': 'example.org' });
  await broken('configuration', /not on example\.org/);
  const renamed = (user: string): string => user.replace('test.local', 'example.org');
  const { bot, issuer } = parse(goodYaml) as { bot: { user_id: string }; issuer: { user_id: string } };
  await configure({
    'homeserver.server_name': 'example.org',
    'bot.user_id': renamed(bot.user_id),
    'issuer.user_id': renamed(issuer.user_id),
  });
  expect(
    (await broken('issuer-token', new RegExp(`belongs to ${issuer.user_id.replace('.', '\\.')}`))).fix,
  ).toMatch(/server_name/);
  await asItWas();
  await fixed('issuer-token');
  await fixed('configuration');
});

test('hides its admin API behind a proxy', async () => {
  for (const status of [403, 404, 502]) {
    await behind(
      () => proxy.on({ path: '/_synapse/' }, answerWith(status, '<html>')),
      async () => void (await broken('admin-api', /admin API is not there|its version/)),
    );
  }
  await configure({ 'homeserver.url': synapse.baseUrl });
  await fixed('admin-api');
  await asItWas();
});

test('leaves logins to another service', async () => {
  await behind(
    () => proxy.on({ path: '/auth_metadata' }, answerWith(200, { issuer: 'https://auth.example.org/' })),
    async () => void (await broken('logins', /Matrix Authentication Service/)),
  );
  await fixed('logins');
  await asItWas();
});

test('is an old Synapse', async () => {
  await behind(
    () => proxy.on({ path: '/server_version' }, answerWith(200, { server_version: '1.98.0' })),
    async () => void (await broken('synapse-version', /Synapse 1\.98\.0/)),
  );
  await fixed('synapse-version');
  await asItWas();
});

test('has other limits than the gateway', async () => {
  await fixed('gateway-limits');
  for (const [key, value, says] of [
    ['writes_per_second', 2, /A token may write 2 times a second/],
    ['writes_at_once', 50, /50 at once/],
    ['upload_size', '60M', /60 MiB may be uploaded, but the homeserver takes 50 MiB/],
  ] as const) {
    await configure({ [`gateway.limits.${key}`]: value });
    expect((await broken('gateway-limits', says, 'warn')).fix).toMatch(/gateway\.limits/);
    await asItWas();
  }
  await behind(
    () => proxy.on({ path: '/media/config' }, answerWith(200, { 'm.upload.size': 1_048_576 })),
    async () => void (await broken('gateway-limits', /takes 1 MiB/, 'warn')),
  );
  await behind(
    () => proxy.on({ path: '/media/config' }, answerWith(200, {})),
    () => fixed('gateway-limits'),
  );
  await fixed('gateway-limits');
});

test('has a clock that is wrong', async () => {
  const dated = (skewMs: number): Fault => ({
    after: ({ response }, { status, headers, body }) => {
      response.writeHead(status, { ...headers, date: new Date(Date.now() + skewMs).toUTCString() }).end(body);
    },
  });
  for (const [skewMs, severity, says] of [
    [-20_000, 'warn', /behind/],
    [3_600_000, 'fail', /1 hour ahead|59 min.* ahead/],
  ] as const) {
    await behind(
      () => proxy.on({ path: '/versions' }, dated(skewMs)),
      async () => void (await broken('clock', says, severity)),
    );
  }
  await fixed('clock');
  await asItWas();
});
