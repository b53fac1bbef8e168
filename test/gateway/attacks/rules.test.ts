import { isTask } from '../../../src/gateway/request/endpoint.ts';
import { describe, expect, test } from 'vitest';
import { type EndpointRule, firewall, parseEndpoint } from '../../../src/domain/endpoint-rule.ts';
import { isRefusedByRules } from '../../../src/gateway/steps/check-endpoint.ts';
import { CATALOGUE } from '../../../src/gateway/endpoints/catalogue.ts';
import { pathsOf, createRouter } from '../../../src/gateway/request/router.ts';
import { parseTarget } from '../../../src/gateway/http/target.ts';
import { grantOf, OPS } from '../support/grants.ts';
import { stage } from '../support/stage.ts';

const V3 = '/_matrix/client/v3';
const ROOM = encodeURIComponent(OPS);
const ruled = (allow: readonly string[], deny: readonly string[]) => {
  const rules = firewall(allow.map(parseEndpoint), deny.map(parseEndpoint)) ?? [];
  return {
    scope: {
      ...grantOf([OPS]).scope,
      can: ['read', 'send'] as const,
      rules: [rules] as readonly (readonly EndpointRule[])[],
    },
  };
};
const REFUSED = {
  status: 403,
  body: { errcode: 'M_FORBIDDEN', error: 'The endpoint rules of this token do not allow that.' },
};

describe('a denied endpoint is not passed', () => {
  test.each([
    `${V3}/rooms/${ROOM}/messages`,
    `${V3}/rooms/${OPS}/messages`,
    `/_matrix/client/r0/rooms/${ROOM}/messages`,
    `/_matrix/client/v1/rooms/${ROOM}/messages`,
    `/_matrix/client/unstable/rooms/${ROOM}/messages`,
    `${V3}/rooms/${ROOM}/messages?dir=b`,
    `${V3}/rooms/%21ops:hs.test/messages`,
    `${V3}/rooms/!%6fps:hs.test/messages`,
    `${V3}/rooms/${ROOM}/%6dessages`,
    `${V3}/%72ooms/${ROOM}/messages`,
    `${V3}/rooms/${ROOM}/messages/`,
    `${V3}//rooms/${ROOM}/messages`,
    `${V3}/./rooms/${ROOM}/messages`,
    `${V3}/x/../rooms/${ROOM}/messages`,
    `${V3}/rooms/${ROOM}%2Fmessages`,
    `/_matrix/client/V3/rooms/${ROOM}/messages`,
    `/_matrix/client/api/v1/rooms/${ROOM}/messages`,
    `${V3}/rooms/${ROOM}/messages;x=y`,
  ])('by %s', async (path) => {
    await using s = await stage({ rooms: [OPS], grant: ruled([], [`GET ${V3}/rooms/*/messages`]) });
    s.homeserver.answer(() => ({ chunk: [], start: 's' }));
    expect([400, 403, 404]).toContain(
      await s
        .raw(
          `GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer mwt_7F3K9Q_thisIsTheScopedToken\r\nConnection: close\r\n\r\n`,
        )
        .then((text) => Number(text.split(' ')[1])),
    );
    expect(s.homeserver.seen).toEqual([]);
  });

  test.each(['r0', 'v1', 'unstable', 'v*', '*', 'r*', 'unst*'])(
    'whatever version the rule names: %s',
    async (version) => {
      await using s = await stage({
        rooms: [OPS],
        grant: ruled([], [`/_matrix/client/${version}/rooms/*/messages`]),
      });
      expect(await s.ask('GET', `${V3}/rooms/${ROOM}/messages`)).toMatchObject(REFUSED);
      expect(s.homeserver.seen).toEqual([]);
    },
  );

  test('where it writes either', async () => {
    await using s = await stage({ rooms: [OPS], grant: ruled([], [`PUT ${V3}/rooms/*/send/**`]) });
    for (const version of ['v3', 'r0', 'v1', 'unstable']) {
      const path = `/_matrix/client/${version}/rooms/${ROOM}/send/m.room.message/1`;
      expect(await s.ask('PUT', path, { body: '{"msgtype":"m.text","body":"x"}' })).toMatchObject(REFUSED);
    }
    expect(s.homeserver.seen).toEqual([]);
  });

  test.each([
    ['PUT', `${V3}/rooms/*/send/m.room.message/*`, 'POST', `${V3}/rooms/${ROOM}/send/m.room.message`],
    ['PUT', `${V3}/rooms/*/send/m.room.message/**`, 'POST', `${V3}/rooms/${ROOM}/send/m.room.message`],
    ['PUT', `${V3}/rooms/*/send/*/*`, 'POST', `/_matrix/client/r0/rooms/${ROOM}/send/m.room.message`],
    ['POST', `${V3}/rooms/*/send/*`, 'PUT', `${V3}/rooms/${ROOM}/send/m.room.message/t`],
    ['PUT', `${V3}/rooms/*/redact/*/*`, 'POST', `${V3}/rooms/${ROOM}/redact/$e`],
    ['POST', `${V3}/rooms/*/redact/*`, 'PUT', `${V3}/rooms/${ROOM}/redact/$e/t`],
    ['PUT', `${V3}/rooms/*/state/*/*`, 'PUT', `${V3}/rooms/${ROOM}/state/m.room.topic`],
    ['PUT', `${V3}/rooms/*/state/m.room.topic`, 'PUT', `${V3}/rooms/${ROOM}/state/m.room.topic/`],
    ['GET', `${V3}/rooms/*/state/*/*`, 'GET', `${V3}/rooms/${ROOM}/state/m.room.topic`],
    ['GET', `${V3}/publicRooms`, 'POST', `${V3}/publicRooms`],
    ['POST', `${V3}/publicRooms`, 'GET', `${V3}/publicRooms`],
    [
      'GET',
      '/_matrix/client/v1/media/download/*/*',
      'GET',
      '/_matrix/client/v1/media/download/hs.test/abc/a.png',
    ],
  ])('in another form: %s %s, asked as %s %s', async (method, path, asked, at) => {
    await using s = await stage({ rooms: [OPS], grant: ruled([], [`${method} ${path}`]) });
    const body = asked === 'GET' ? {} : { body: '{"msgtype":"m.text","body":"x"}' };
    expect(await s.ask(asked, at, body)).toMatchObject(REFUSED);
    expect(s.homeserver.seen).toEqual([]);
  });

  test('but not where the other form says more', async () => {
    await using s = await stage({ rooms: [OPS], grant: ruled([], [`PUT ${V3}/rooms/*/state/m.room.topic`]) });
    const got = await s.ask('PUT', `${V3}/rooms/${ROOM}/state/m.room.topic/key`, { body: '{}' });
    expect(got.headers.get('www-authenticate')).toContain('state');
  });

  test('where it is answered here either', async () => {
    await using s = await stage({
      rooms: [OPS],
      grant: ruled([], [`GET ${V3}/account/whoami`, `GET ${V3}/pushrules`]),
    });
    expect(await s.ask('GET', `${V3}/account/whoami`)).toMatchObject(REFUSED);
    // The same operation, by its name with a slash and without.
    expect(await s.ask('GET', `${V3}/pushrules/`)).toMatchObject(REFUSED);
    expect(await s.ask('GET', `${V3}/pushrules`)).toMatchObject(REFUSED);
  });

  test('for one room, by no spelling of its id', async () => {
    await using s = await stage({ rooms: [OPS], grant: ruled([], [`${V3}/rooms/${OPS}/**`]) });
    for (const id of [OPS, ROOM, '%21ops:hs.test', '!ops%3ahs.test', '!ops%3Ahs%2etest'])
      expect((await s.ask('GET', `${V3}/rooms/${id}/messages`)).status).toBe(403);
    expect(s.homeserver.seen).toEqual([]);
  });
});

describe('every endpoint of the catalogue', () => {
  const route = createRouter(CATALOGUE);
  const served = CATALOGUE.filter(
    (endpoint) => !['static', 'public', 'refused'].includes(endpoint.kind) && !isTask(endpoint, 'token'),
  );
  const filled = (name: string) => name.replaceAll(/\{(\w+)\}/g, (_, parameter: string) => `p${parameter}`);

  test.each(served.map((endpoint) => [endpoint.id, endpoint] as const))(
    '%s: a rule for one of its names holds for all of them',
    (_, endpoint) => {
      const names = pathsOf(endpoint);
      for (const method of endpoint.methods === 'any' ? ['GET'] : endpoint.methods)
        for (const denied of names)
          for (const asked of names) {
            const { scope } = ruled([], [`${method} ${filled(denied)}`]);
            const target = parseTarget(filled(asked));
            if ('status' in target) throw new Error(asked);
            const found = route(method, target.segments);
            // Another endpoint may stand before it; then it is that endpoint's name.
            if (found?.endpoint !== endpoint) continue;
            const { params } = found;
            const isFull = [...denied.matchAll(/\{(\w+)\}/g)].every(
              ([, parameter]) => params[parameter ?? ''] !== undefined,
            );
            if (isFull)
              expect(isRefusedByRules(scope, method, target, found), `${denied} / ${asked}`).toBe(true);
          }
    },
  );
});

describe('an allowed endpoint', () => {
  test('is all there is; and a denial counts before it', async () => {
    await using s = await stage({
      rooms: [OPS],
      grant: ruled([`GET ${V3}/rooms/**`], [`GET ${V3}/rooms/*/members`]),
    });
    s.homeserver.answer(() => ({ chunk: [], start: 's' }));
    expect((await s.ask('GET', `/_matrix/client/r0/rooms/${ROOM}/messages?dir=b`)).status).toBe(200);
    for (const path of [`${V3}/joined_rooms`, `${V3}/sync`, `${V3}/rooms/${ROOM}/members`])
      expect(await s.ask('GET', path)).toMatchObject(REFUSED);
    expect(s.homeserver.seen).toHaveLength(1);
  });

  test('opens nothing that the scope does not', async () => {
    await using s = await stage({ rooms: [OPS], grant: ruled(['* /**'], []) });
    expect((await s.ask('GET', `${V3}/rooms/!other:hs.test/messages`)).body).toMatchObject({
      error: 'This token does not allow that.',
    });
    expect((await s.ask('PUT', `${V3}/rooms/${ROOM}/state/m.room.topic/`, { body: '{}' })).status).toBe(403);
    expect((await s.ask('GET', '/_synapse/admin/v1/rooms')).status).toBe(403);
    expect(s.homeserver.seen).toEqual([]);
  });

  test('does not have to name the token’s own end and explanation, and no rule takes them away', async () => {
    await using s = await stage({ rooms: [OPS], grant: ruled([], ['/**']) });
    expect((await s.ask('GET', '/_mintwarden/v1/token')).status).toBe(200);
    expect((await s.ask('POST', `${V3}/logout`)).status).toBe(200);
    expect(s.desk.withdrawn).toHaveLength(1);
  });
});
