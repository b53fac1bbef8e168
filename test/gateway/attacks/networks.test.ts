import { describe, expect, test } from 'vitest';
import { clientAddress } from '../../../src/gateway/http/client-address.ts';
import { grantOf, OPS } from '../support/grants.ts';
import { stage, TOKEN } from '../support/stage.ts';

const WHOAMI = '/_matrix/client/v3/account/whoami';
const ROOMS = '/_matrix/client/v3/joined_rooms';
const only = (from: readonly string[]) => ({ scope: { ...grantOf([OPS]).scope, from } });
const REFUSED = {
  status: 403,
  body: { errcode: 'M_FORBIDDEN', error: 'This token is not good from this network.' },
};

describe('a token that is good from some networks alone', () => {
  test('is good from there', async () => {
    await using s = await stage({ rooms: [OPS], grant: only(['127.0.0.0/8']) });
    expect((await s.ask('GET', WHOAMI)).status).toBe(200);
  });

  test.each([
    ['GET', ROOMS],
    ['GET', WHOAMI],
    ['GET', '/_mintwarden/v1/token'],
    ['POST', '/_matrix/client/v3/logout'],
    ['GET', '/_matrix/client/v3/nothing'],
    ['GET', '/_matrix/client/v3/sync?timeout=0'],
    ['POST', '/_matrix/client/v3/createRoom'],
  ])('is not good from elsewhere, for %s %s either', async (method, path) => {
    await using s = await stage({ rooms: [OPS], grant: only(['10.0.0.0/8', '2001:db8::/32', '::1/128']) });
    const spoofed = {
      'x-forwarded-for': '10.0.0.1',
      forwarded: 'for=10.0.0.1',
      'x-real-ip': '10.0.0.1',
      'cf-connecting-ip': '10.0.0.1',
    };
    expect(
      await s.ask(method, path, { headers: spoofed, ...(method === 'GET' ? {} : { body: '{}' }) }),
    ).toMatchObject(REFUSED);
    expect(s.homeserver.seen).toEqual([]);
    expect(s.desk.withdrawn).toEqual([]);
  });

  test('and nobody learns by it of a token that is over', async () => {
    await using s = await stage({ rooms: [OPS], grant: only(['10.0.0.0/8']) });
    s.desk.end('7F3K9Q' as never);
    expect((await s.ask('GET', ROOMS)).status).toBe(401);
  });

  test('behind a proxy, what the proxy wrote counts, in one header or in several', async () => {
    await using s = await stage({
      rooms: [OPS],
      grant: only(['10.0.0.0/8']),
      trustedProxies: ['127.0.0.0/8'],
    });
    const asked = async (...values: string[]) => {
      const lines = values.map((value) => `X-Forwarded-For: ${value}\r\n`).join('');
      const text = await s.raw(
        `GET ${WHOAMI} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\nConnection: close\r\n${lines}\r\n`,
      );
      return text.split(' ')[1];
    };
    expect(await asked('10.1.1.1')).toBe('200');
    expect(await asked('192.0.2.1, 10.1.1.1')).toBe('200');
    expect(await asked('192.0.2.1', '10.1.1.1')).toBe('200');
    expect(await asked('10.1.1.1, 192.0.2.1')).toBe('403');
    expect(await asked('10.1.1.1', '192.0.2.1')).toBe('403');
    expect(await asked()).toBe('403');
    expect(await asked('')).toBe('403');
  });
});

describe('where a request came from', () => {
  const PROXIES = ['127.0.0.1/32', '::1/128', '172.16.0.0/12'];
  const from = (peer: string | undefined, ...values: string[]) =>
    clientAddress(
      peer,
      values.flatMap((value) => ['X-Forwarded-For', value]),
      PROXIES,
    );

  test.each<[string | undefined, string[], string | null]>([
    ['192.0.2.9', ['10.0.0.1'], '192.0.2.9'],
    ['192.0.2.9', [], '192.0.2.9'],
    ['::ffff:127.0.0.1', ['10.0.0.1'], '10.0.0.1'],
    ['::1', ['10.0.0.1'], '10.0.0.1'],
    ['127.0.0.1', ['10.0.0.1, 172.16.0.5'], '10.0.0.1'],
    ['127.0.0.1', ['6.6.6.6, 10.0.0.1 ,\t172.16.0.5'], '10.0.0.1'],
    ['127.0.0.1', ['6.6.6.6', '10.0.0.1', '172.16.0.5'], '10.0.0.1'],
    ['127.0.0.1', ['garbage, 10.0.0.1'], '10.0.0.1'],
    ['127.0.0.1', ['2001:db8::1'], '2001:db8::1'],
    // Those on the proxy's own machine.
    ['127.0.0.1', ['127.0.0.1'], '127.0.0.1'],
    // What cannot be told.
    ['127.0.0.1', [], null],
    ['127.0.0.1', [''], null],
    ['127.0.0.1', ['10.0.0.1,'], null],
    ['127.0.0.1', ['10.0.0.1', ''], null],
    ['127.0.0.1', ['10.0.0.1, ,172.16.0.5'], null],
    ['127.0.0.1', ['10.0.0.1:443'], null],
    ['127.0.0.1', ['[2001:db8::1]'], null],
    ['127.0.0.1', ['"10.0.0.1"'], null],
    ['127.0.0.1', ['for=10.0.0.1'], null],
    ['127.0.0.1', ['unknown'], null],
    ['127.0.0.1', ['010.0.0.1'], null],
    ['127.0.0.1', ['0x0a000001'], null],
    ['127.0.0.1', ['167772161'], null],
    ['127.0.0.1', ['10.0.0.1/8'], null],
    ['127.0.0.1', ['fe80::1%eth0'], null],
    ['127.0.0.1', ['10.0.0.1;10.0.0.2'], null],
    ['127.0.0.1', ['10.0.0.1\u00a0'], null],
    [undefined, ['10.0.0.1'], null],
  ])('%j with %j is %j', (peer, values, address) => {
    expect(from(peer, ...values)).toBe(address);
  });

  test('with no proxy trusted, every header is a holder’s own writing', () => {
    expect(clientAddress('127.0.0.1', ['x-forwarded-for', '10.0.0.1'], [])).toBe('127.0.0.1');
  });
});
