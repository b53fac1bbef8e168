import { expect, test } from 'vitest';
import { instanceProver } from '../../../src/gateway/http/instance-proof.ts';
import { stage } from '../support/stage.ts';

const KEY = 'ab'.repeat(32);
const CHALLENGE = 'abcdefghijklmnopqrstuv';
const path = (challenge: string): string => `/_matrix/client/unstable/org.mintwarden/instance/${challenge}`;

test('answers a challenge without a token and without the homeserver, by its own key alone', async () => {
  await using s = await stage({ instanceKey: KEY });
  const { status, body } = await s.ask('GET', path(CHALLENGE), { token: null });
  expect({ status, body }).toEqual({
    status: 200,
    body: { proof: instanceProver(KEY)(CHALLENGE), from: '127.0.0.1' },
  });
  expect((await s.ask('GET', path(CHALLENGE), { token: 'mwt_nobody' })).body).toEqual(body);
  expect(body['proof']).not.toBe(instanceProver('cd'.repeat(32))(CHALLENGE));
  expect(body['proof']).not.toBe(instanceProver(KEY)(`${CHALLENGE}x`));
  expect(s.homeserver.seen).toEqual([]);
});

test.each(['short', 'x'.repeat(65), 'with%20a%20space%20in%20it%20and%20long'])(
  'proves nothing for the challenge %s',
  async (challenge) => {
    await using s = await stage({ instanceKey: KEY });
    expect((await s.ask('GET', path(challenge), { token: null })).body).toMatchObject({ proof: null });
  },
);

test('proves nothing without a key', async () => {
  await using s = await stage();
  expect((await s.ask('GET', path(CHALLENGE), { token: null })).body).toMatchObject({ proof: null });
});

test('says where a request seems to come from, as --from would see it', async () => {
  await using s = await stage({ instanceKey: KEY, trustedProxies: ['127.0.0.1'] });
  const from = async (forwarded: string) =>
    (await s.ask('GET', path(CHALLENGE), { token: null, headers: { 'x-forwarded-for': forwarded } })).body[
      'from'
    ];
  expect(await from('192.0.2.7')).toBe('192.0.2.7');
  expect(await from('192.0.2.9, 198.51.100.4')).toBe('198.51.100.4');
});
