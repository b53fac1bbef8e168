import { describe, expect, test } from 'vitest';
import type { Access } from '../../../src/lifecycle/access/access-control.ts';
import { FORBIDDEN, missingCapability } from '../../../src/gateway/http/response.ts';
import { CATALOGUE } from '../../../src/gateway/endpoints/catalogue.ts';
import { planFor } from '../../../src/gateway/steps/authorize.ts';
import { refusalOf } from '../../../src/gateway/steps/check-endpoint.ts';
import type { Plan } from '../../../src/gateway/request/plan.ts';
import { parseTarget } from '../../../src/gateway/http/target.ts';
import { createRouter } from '../../../src/gateway/request/router.ts';
import { accessOf, ALICE, grantOf, OPS, SECRET } from '../support/grants.ts';

const router = createRouter(CATALOGUE);

/** The plan for a request, or the kind of an endpoint that needs none. */
function planOf(request: string, access: Access = accessOf([OPS]), body: unknown = {}): Plan | string {
  const [method = '', url = ''] = request.split(' ');
  const target = parseTarget(url.replace('~', '/_matrix/client/v3'));
  if ('status' in target) return 'ambiguous';
  const route = router(method, target.segments);
  if (route === null) return 'no endpoint';
  const { endpoint, params } = route;
  if (endpoint.kind === 'refused') return { kind: 'answer', response: refusalOf(endpoint) };
  if (endpoint.kind === 'static' || endpoint.kind === 'public') return endpoint.kind;
  return planFor(endpoint, { params, query: target.query.values, body, access, now: 0 });
}

const kindOf = (given: Plan | string) => {
  if (typeof given === 'string') return given;
  if (given.kind === 'task') return given.task.kind;
  if (given.kind !== 'answer') return given.kind;
  if (given.response.missingCapability !== undefined) {
    expect(given.response).toEqual(missingCapability(given.response.missingCapability));
    return `lacks ${given.response.missingCapability}`;
  }
  return given.response === FORBIDDEN ? 'forbidden' : `answer ${given.response.status}`;
};

describe('what becomes of a request', () => {
  test.each([
    // request, in scope, out of scope, without `read`
    ['GET ~/rooms/ROOM/messages?dir=b', 'forward', 'forbidden', 'lacks read'],
    ['GET ~/rooms/ROOM/state', 'forward', 'forbidden', 'lacks read'],
    ['GET ~/rooms/ROOM/state/m.room.name', 'forward', 'forbidden', 'lacks read'],
    ['GET ~/rooms/ROOM/state/m.room.name/', 'forward', 'forbidden', 'lacks read'],
    ['GET ~/rooms/ROOM/state/m.room.member/@bob:hs.test', 'forward', 'forbidden', 'lacks read'],
    ['GET ~/rooms/ROOM/members', 'forward', 'forbidden', 'lacks read'],
    ['GET ~/rooms/ROOM/joined_members', 'forward', 'forbidden', 'lacks read'],
    ['GET ~/rooms/ROOM/event/$1', 'forward', 'forbidden', 'lacks read'],
    ['GET ~/rooms/ROOM/context/$1', 'forward', 'forbidden', 'lacks read'],
    ['POST ~/join/ROOM', 'multiStep', 'forbidden', 'lacks read'],
    ['POST ~/rooms/ROOM/join', 'multiStep', 'forbidden', 'lacks read'],
    ['POST ~/rooms/ROOM/read_markers', 'answer 200', 'forbidden', 'lacks read'],
    [`PUT ~/rooms/ROOM/typing/${ALICE}`, 'answer 200', 'forbidden', 'lacks read'],
    ['PUT ~/rooms/ROOM/typing/@bob:hs.test', 'forbidden', 'forbidden', 'lacks read'],
    ['PUT ~/rooms/ROOM/send/m.room.message/1', 'lacks send', 'lacks send', 'lacks send'],
    ['POST ~/rooms/ROOM/leave', 'lacks leave', 'lacks leave', 'lacks leave'],
    ['GET ~/sync', 'poll', 'poll', 'emptySync'],
    ['GET ~/sync?timeout=x', 'answer 400', 'answer 400', 'answer 400'],
    ['GET ~/joined_rooms', 'forward', 'forward', 'forward'],
    ['GET ~/account/whoami', 'answer 200', 'answer 200', 'answer 200'],
    ['POST ~/logout', 'token', 'token', 'token'],
    ['POST ~/logout/all', 'forbidden', 'forbidden', 'forbidden'],
    ['GET ~/profile/@bob:hs.test', 'forward', 'forward', 'lacks read'],
    ['GET ~/profile/@bob:hs.test/org.other', 'answer 404', 'answer 404', 'lacks read'],
    ['GET ~/profile/bob', 'forbidden', 'forbidden', 'lacks read'],
    ['GET ~/rooms/ROOM/threads', 'forward', 'forbidden', 'lacks read'],
    ['GET ~/rooms/ROOM/relations/$1', 'forward', 'forbidden', 'lacks read'],
    ['GET ~/rooms/ROOM/relations/$1/m.thread', 'forward', 'forbidden', 'lacks read'],
    [
      'GET ~/rooms/ROOM/relations/$1/m.annotation/m.reaction?recurse=true',
      'forward',
      'forbidden',
      'lacks read',
    ],
    ['GET ~/rooms/ROOM/relations/$1?recurse=1', 'answer 400', 'forbidden', 'lacks read'],
    ['GET ~/rooms/ROOM/timestamp_to_event?ts=1&dir=f', 'forward', 'forbidden', 'lacks read'],
    ['GET ~/rooms/ROOM/timestamp_to_event?ts=-1', 'answer 400', 'forbidden', 'lacks read'],
    ['GET ~/rooms/ROOM/aliases', 'forward', 'forbidden', 'lacks read'],
    ['GET ~/room_summary/ROOM', 'forward', 'forbidden', 'lacks read'],
    ['GET ~/room_summary/%23ops:hs.test', 'forbidden', 'forbidden', 'lacks read'],
    ['GET ~/directory/list/room/ROOM', 'forward', 'forbidden', 'lacks read'],
    ['GET ~/directory/room/%23ops:hs.test', 'multiStep', 'multiStep', 'lacks read'],
    ['GET ~/directory/room/ROOM', 'answer 404', 'answer 404', 'lacks read'],
    ['GET ~/rooms/ROOM/hierarchy', 'multiStep', 'forbidden', 'lacks read'],
    ['GET ~/rooms/ROOM/hierarchy?from=abc', 'answer 400', 'forbidden', 'lacks read'],
    ['GET ~/rooms/ROOM/initialSync', 'answer 404', 'answer 404', 'answer 404'],
    ['GET ~/events', 'answer 404', 'answer 404', 'answer 404'],
    ['POST ~/search', 'answer 400', 'answer 400', 'lacks read'],
    ['PUT ~/rooms/ROOM/state/m.room.name/', 'lacks state', 'lacks state', 'lacks state'],
    ['PUT ~/rooms/ROOM/state/m.room.name/x', 'lacks state', 'lacks state', 'lacks state'],
    ['PUT ~/rooms/ROOM/state/m.room.name', 'lacks state', 'lacks state', 'lacks state'],
    ['POST ~/rooms/ROOM/kick', 'lacks kick', 'lacks kick', 'lacks kick'],
    ['POST ~/knock/ROOM', 'lacks knock', 'lacks knock', 'lacks knock'],
    ['POST ~/rooms/ROOM/redact/$1', 'lacks redact', 'lacks redact', 'lacks redact'],
    ['PUT ~/rooms/ROOM/redact/$1/1', 'lacks redact', 'lacks redact', 'lacks redact'],
    ['PUT ~/createRoom/1', 'forbidden', 'forbidden', 'forbidden'],
    ['PUT ~/join/ROOM/1', 'forbidden', 'forbidden', 'forbidden'],
    ['PUT ~/rooms/ROOM/leave/1', 'forbidden', 'forbidden', 'forbidden'],
    ['GET ~/notifications', 'lacks notifications', 'lacks notifications', 'lacks notifications'],
    ['GET ~/user/@alice:hs.test/rooms/ROOM/tags', 'lacks tags', 'lacks tags', 'lacks tags'],
    ['GET ~/publicRooms', 'lacks directory', 'lacks directory', 'lacks directory'],
    ['GET /_matrix/client/v1/media/download/hs.test/abc', 'media', 'media', 'lacks media'],
    ['GET /_matrix/client/v1/media/download/hs.test/a.b', 'forbidden', 'forbidden', 'lacks media'],
    ['GET /_matrix/client/v1/media/thumbnail/hs.test/abc', 'answer 400', 'answer 400', 'lacks media'],
    [
      'GET /_matrix/client/v1/media/preview_url?url=https://example.org',
      'lacks media-any',
      'lacks media-any',
      'lacks media-any',
    ],
    ['POST /_matrix/media/v3/upload', 'lacks upload', 'lacks upload', 'lacks upload'],
    ['PUT /_matrix/media/v3/upload/hs.test/abc', 'lacks upload', 'lacks upload', 'lacks upload'],
    ['POST /_matrix/media/v1/create', 'lacks upload', 'lacks upload', 'lacks upload'],
  ])('%s', (request, inScope, outside, unread) => {
    const none = accessOf([OPS], { scope: { v: 1, rooms: [OPS], can: [] } });
    expect(kindOf(planOf(request.replace('ROOM', OPS)))).toBe(inScope);
    expect(kindOf(planOf(request.replace('ROOM', SECRET)))).toBe(outside);
    expect(kindOf(planOf(request.replace('ROOM', OPS), none))).toBe(unread);
  });

  test('the rooms that are open decide, not the ones the scope names', () => {
    const closed: Access = { grant: grantOf([OPS]), rooms: new Set() };
    expect(kindOf(planOf(`GET ~/rooms/${OPS}/state`, closed))).toBe('forbidden');
    const all: Access = { grant: grantOf('all'), rooms: new Set([OPS]) };
    expect(kindOf(planOf(`GET ~/rooms/${SECRET}/state`, all))).toBe('forbidden');
  });

  test('a join of oneself becomes a look at whether one is joined', () => {
    const own = `PUT ~/rooms/${OPS}/state/m.room.member/${ALICE}`;
    expect(kindOf(planOf(own, accessOf([OPS]), { membership: 'join', displayname: 'Mallory' }))).toBe(
      'multiStep',
    );
    for (const body of [{ membership: 'leave' }, { membership: ['join'] }, [], null])
      expect(kindOf(planOf(own, accessOf([OPS]), body))).toBe('forbidden');
    expect(kindOf(planOf(own.replace(ALICE, '@bob:hs.test'), accessOf([OPS]), { membership: 'join' }))).toBe(
      'lacks state',
    );
  });
});

describe('the catalogue', () => {
  test('has each id once and a reason in a sentence', () => {
    const ids = CATALOGUE.map((endpoint) => endpoint.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(
      CATALOGUE.filter((endpoint) => !endpoint.why.endsWith('.')).map((endpoint) => endpoint.id),
    ).toEqual([]);
  });

  test('a path with a room or a user in it is judged by them', () => {
    const serving = CATALOGUE.filter(
      (endpoint) => endpoint.kind !== 'refused' && endpoint.kind !== 'static' && endpoint.kind !== 'public',
    );
    const naming = (name: string) => serving.filter(({ paths }) => paths.some((path) => path.includes(name)));
    // Account data is never there, in any room and of any user.
    const careless = [
      ...naming('{roomId}').filter((endpoint) => endpoint.room !== 'path'),
      ...naming('{userId}').filter(
        (endpoint) =>
          endpoint.user !== 'self' && !(endpoint.kind === 'forward' && endpoint.requiresSharedRoom === true),
      ),
    ];
    expect([...new Set(careless.map((endpoint) => endpoint.id))]).toEqual([
      'getAccountDataPerRoom',
      'getAccountData',
    ]);
  });

  test('two endpoints that claim the same are an error at start', () => {
    expect(() => createRouter([...CATALOGUE, ...CATALOGUE.slice(0, 1)])).toThrow(/Two endpoints/);
  });
});
