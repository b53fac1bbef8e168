import { expect, test } from 'vitest';
import type { Answer, Http } from '../../src/issuers/synapse/http.ts';
import { withFreshToken } from '../../src/issuers/synapse/with-fresh-token.ts';

const dead: Answer = { kind: 'answer', status: 401, body: { errcode: 'M_UNKNOWN_TOKEN' }, date: null };
const fine: Answer = { kind: 'answer', status: 200, body: {}, date: null };

function scripted(good: string): { http: Http; asked: (string | undefined)[] } {
  const asked: (string | undefined)[] = [];
  const ask: Http['ask'] = async ({ token }) => {
    asked.push(token);
    return token === good ? fine : dead;
  };
  return { asked, http: { ask, close: async () => undefined } };
}

test('a request refused for the issuer’s token is made once more with the one its file holds now', async () => {
  const { http, asked } = scripted('new');
  let token = 'old';
  const fresh = withFreshToken(
    http,
    () => token,
    async () => ((token = 'new'), true),
  );
  expect(await fresh.ask({ method: 'GET', path: '/', token })).toBe(fine);
  expect(asked).toEqual(['old', 'new']);
});

test('not where there is no other, and never for a token that is not the issuer’s', async () => {
  const { http, asked } = scripted('none');
  const fresh = withFreshToken(
    http,
    () => 'old',
    async () => false,
  );
  expect(await fresh.ask({ method: 'GET', path: '/', token: 'old' })).toBe(dead);
  const never = withFreshToken(
    http,
    () => 'old',
    async () => expect.unreachable(),
  );
  expect(await never.ask({ method: 'POST', path: '/', token: 'upstream' })).toBe(dead);
  expect(asked).toEqual(['old', 'upstream']);
});
