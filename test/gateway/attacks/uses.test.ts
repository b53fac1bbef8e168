import { describe, expect, test } from 'vitest';
import { MintwardenError } from '../../../src/domain/errors.ts';
import { grantOf, OPS } from '../support/grants.ts';
import { stage } from '../support/stage.ts';
import { settled, until } from '../../support/wait.ts';

const V3 = '/_matrix/client/v3';
const ROOM = encodeURIComponent(OPS);
const ROOMS = `${V3}/joined_rooms`;
const GRANT = '7F3K9Q' as never;
const good = (uses: number) => ({ scope: { ...grantOf([OPS]).scope, uses } });
const untilOver = async (s: Awaited<ReturnType<typeof stage>>, count: number) => {
  await until(() => s.desk.usesOver.length >= count);
  await settled();
  expect(s.desk.usesOver).toHaveLength(count);
};

describe('a token that is good for so many requests', () => {
  test('of a hundred at once exactly five reach the homeserver', async () => {
    await using s = await stage({ rooms: [OPS], grant: good(5), limits: { concurrentPerGrant: 200 } });
    s.homeserver.answer(() => ({ joined_rooms: [OPS] }));
    const answers = await Promise.all(Array.from({ length: 100 }, () => s.ask('GET', ROOMS)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(5);
    expect(answers.filter(({ body }) => body['errcode'] === 'M_UNKNOWN_TOKEN')).toHaveLength(95);
    expect(s.homeserver.seen).toHaveLength(5);
    await untilOver(s, 5);
  });

  test('refused requests, and those about the token itself, use nothing', async () => {
    await using s = await stage({ rooms: [OPS], grant: good(1) });
    for (const [method, path] of [
      ['GET', '/_mintwarden/v1/token'],
      ['GET', `${V3}/rooms/!other:hs.test/messages`],
      ['PUT', `${V3}/rooms/${ROOM}/send/m.room.message/1`],
      ['GET', `${V3}/nothing`],
      ['POST', `${V3}/createRoom`],
      ['GET', '/_matrix/client/versions'],
    ] as const)
      await s.ask(method, path, method === 'GET' ? {} : { body: '{}' });
    expect(s.desk.used.get(GRANT)).toBeUndefined();
    expect((await s.ask('GET', `${V3}/account/whoami`)).status).toBe(200);
    expect((await s.ask('GET', `${V3}/account/whoami`)).status).toBe(401);
    // Nothing left, but it can be given up.
    expect((await s.ask('POST', `${V3}/logout`)).status).toBe(200);
  });

  test('a request counts before the homeserver sees it, whatever its result', async () => {
    await using s = await stage({ rooms: [OPS], grant: good(2) });
    s.homeserver.answer((_, response) => {
      expect(s.desk.used.get(GRANT)).toBeGreaterThan(0);
      response.writeHead(500).end();
    });
    await s.ask('GET', ROOMS);
    expect(s.desk.used.get(GRANT)).toBe(1);
    const leaving = new AbortController();
    s.homeserver.answer(() => leaving.abort());
    await expect(s.ask('GET', ROOMS, { signal: leaving.signal })).rejects.toThrow(/abort/);
    await untilOver(s, 2);
    expect((await s.ask('GET', ROOMS)).status).toBe(401);
    expect(s.homeserver.seen).toHaveLength(2);
  });

  test('a holder who leaves while it is counted has used it, once', async () => {
    await using s = await stage({ rooms: [OPS], grant: good(3) });
    const leaving = new AbortController();
    const use = s.desk.countUse.bind(s.desk);
    s.desk.countUse = async (id) => {
      leaving.abort();
      await settled();
      return use(id);
    };
    await expect(s.ask('GET', ROOMS, { signal: leaving.signal })).rejects.toThrow(/abort/);
    await untilOver(s, 1);
    expect(s.desk.used.get(GRANT)).toBe(1);
    expect(s.homeserver.seen).toEqual([]);
  });

  test('what cannot be counted is not done', async () => {
    await using s = await stage({ rooms: [OPS], grant: good(3) });
    s.desk.countUse = () => Promise.reject(new MintwardenError('state', 'the disk is full'));
    expect((await s.ask('GET', ROOMS)).status).toBe(503);
    expect((await s.ask('GET', `${V3}/account/whoami`)).status).toBe(503);
    expect(s.homeserver.seen).toEqual([]);
    expect(s.desk.usesOver).toEqual([]);
  });
});
