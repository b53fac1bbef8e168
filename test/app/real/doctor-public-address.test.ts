import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../../harness/free-port.ts';
import { setUpMintwarden } from '../../harness/mintwarden.ts';
import { sharedSynapse } from '../../harness/shared-synapse.ts';
import { doctorStage } from './support/doctor-stage.ts';
import { passing, served } from './support/served.ts';

/** What doctor says of the address that holders use. */
const stage = await doctorStage(sharedSynapse());
const { synapse, scratch, proxy, olivia, mintwarden, look, broken, fixed, configure, asItWas } = stage;

beforeAll(() => stage.start());
afterAll(() => stage[Symbol.asyncDispose]());

test('nobody is there', async () => {
  await configure({ 'gateway.public_url': `http://127.0.0.1:${String(await freePort())}` });
  await broken('public-address', /Nobody answers at/);
  await asItWas();
  await fixed('public-address');
});

test('the homeserver is there', async () => {
  await configure({ 'gateway.public_url': proxy.baseUrl });
  await broken('public-address', /a homeserver answers, not this gateway/);
  await asItWas();
  await fixed('public-address');
});

test('another Mintwarden is there', async () => {
  await using other = await setUpMintwarden({
    homeserverUrl: synapse.baseUrl,
    adminToken: synapse.adminToken,
    admins: [olivia.userId],
    dir: join(scratch, 'other'),
    bot: 'other-bot',
    issuer: 'other-issuer',
  });
  await other.start();
  await configure({ 'gateway.public_url': other.gatewayUrl });
  await broken('public-address', /another Mintwarden answers/);
  await asItWas();
  await fixed('public-address');
});

test('a web page is there', async () => {
  await using page = await served((_, response) => response.end('<h1>It works!</h1>'));
  await configure({ 'gateway.public_url': page.url });
  await broken('public-address', /something else answers \(status 200\)/);
  await asItWas();
});

test('a proxy passes our own paths alone: holders’ requests would go to the homeserver', async () => {
  await using split = await served(
    passing((_, path) => (path.startsWith('/_mintwarden') ? mintwarden.gatewayUrl : synapse.baseUrl)),
  );
  await configure({ 'gateway.public_url': split.url });
  await broken('public-address', /a homeserver answers/);
  await asItWas();
});

test('a proxy that answers from memory proves nothing', async () => {
  const seen = new Map<string, string>();
  await using stale = await served((incoming, response) => {
    const path = (incoming.url ?? '').replace(/instance\/.*/, 'instance');
    void fetch(mintwarden.gatewayUrl + (incoming.url ?? '')).then(async (answer) => {
      if (!seen.has(path)) seen.set(path, await answer.text());
      response.setHeader('content-type', 'application/json').end(seen.get(path));
    });
  });
  await fetch(`${stale.url}/_matrix/client/unstable/org.mintwarden/instance/${'x'.repeat(32)}`);
  await configure({ 'gateway.public_url': stale.url });
  await broken('public-address', /not this gateway/);
  await asItWas();
});

test('the homeserver is beside it, for people: no fault, and said', async () => {
  await using split = await served(
    passing((isScoped) => (isScoped ? mintwarden.gatewayUrl : synapse.baseUrl)),
  );
  await configure({ 'gateway.public_url': split.url });
  await fixed('public-address');
  expect(await look()).toContainEqual(
    expect.objectContaining({
      id: 'client-api-beside',
      severity: 'ok',
      found: expect.stringContaining('the homeserver itself answers') as string,
    }),
  );
  await asItWas();
});

test('holders can say themselves where they come from', async () => {
  // The service has to believe its proxy for that.
  await configure({ 'gateway.trusted_proxies': ['127.0.0.1'] });
  await mintwarden.stop();
  await mintwarden.start();
  await broken('trusted-proxies', /own word on where it comes from/);
  await using good = await served(
    passing(() => mintwarden.gatewayUrl, { 'x-forwarded-for': '198.51.100.7' }),
  );
  await configure({ 'gateway.trusted_proxies': ['127.0.0.1'], 'gateway.public_url': good.url });
  await fixed('trusted-proxies');
  await asItWas();
  await mintwarden.stop();
  await mintwarden.start();
  await fixed('trusted-proxies');
});
