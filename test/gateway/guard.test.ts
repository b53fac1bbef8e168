import { describe, expect, test } from 'vitest';
import type { Access } from '../../src/lifecycle/access-control.ts';
import { FORBIDDEN } from '../../src/gateway/answer.ts';
import { CATALOGUE } from '../../src/gateway/catalogue/index.ts';
import { judge, type Verdict } from '../../src/gateway/guard.ts';
import { parseTarget } from '../../src/gateway/request/target.ts';
import { routerOf } from '../../src/gateway/router.ts';
import { accessOf, ALICE, grantOf, OPS, SECRET } from './support/grants.ts';

const router = routerOf(CATALOGUE);

/** The verdict on a request, or the kind of a line that needs none. */
function verdict(request: string, access: Access = accessOf([OPS]), body: unknown = {}): Verdict | string {
  const [method = '', url = ''] = request.split(' ');
  const target = parseTarget(url.replace('~', '/_matrix/client/v3'));
  if ('status' in target) return 'ambiguous';
  const route = router(method, target.segments);
  if (route === null) return 'no line';
  const { line, params } = route;
  if (line.kind === 'refused' || line.kind === 'notice' || line.kind === 'open') return line.kind;
  return judge(line, { params, query: target.query.values, body, access, now: 0 });
}

const kindOf = (given: Verdict | string) => {
  if (typeof given === 'string') return given;
  return given.kind === 'answer' ? (given.answer === FORBIDDEN ? 'forbidden' : `answer ${given.answer.status}`) : given.kind;
};

describe('what becomes of a request', () => {
  test.each([
    // request, in scope, out of scope, without `read`
    ['GET ~/rooms/ROOM/messages?dir=b', 'forward', 'forbidden', 'forbidden'],
    ['GET ~/rooms/ROOM/state', 'forward', 'forbidden', 'forbidden'],
    ['GET ~/rooms/ROOM/state/m.room.name', 'forward', 'forbidden', 'forbidden'],
    ['GET ~/rooms/ROOM/state/m.room.name/', 'forward', 'forbidden', 'forbidden'],
    ['GET ~/rooms/ROOM/state/m.room.member/@bob:hs.test', 'forward', 'forbidden', 'forbidden'],
    ['GET ~/rooms/ROOM/members', 'forward', 'forbidden', 'forbidden'],
    ['GET ~/rooms/ROOM/joined_members', 'forward', 'forbidden', 'forbidden'],
    ['GET ~/rooms/ROOM/event/$1', 'forward', 'forbidden', 'forbidden'],
    ['GET ~/rooms/ROOM/context/$1', 'forward', 'forbidden', 'forbidden'],
    ['POST ~/join/ROOM', 'forward', 'forbidden', 'forbidden'],
    ['POST ~/rooms/ROOM/join', 'forward', 'forbidden', 'forbidden'],
    ['POST ~/rooms/ROOM/read_markers', 'answer 200', 'forbidden', 'forbidden'],
    [`PUT ~/rooms/ROOM/typing/${ALICE}`, 'answer 200', 'forbidden', 'forbidden'],
    ['PUT ~/rooms/ROOM/typing/@bob:hs.test', 'forbidden', 'forbidden', 'forbidden'],
    ['PUT ~/rooms/ROOM/send/m.room.message/1', 'refused', 'refused', 'refused'],
    ['POST ~/rooms/ROOM/leave', 'refused', 'refused', 'refused'],
    ['GET ~/sync', 'poll', 'poll', 'forbidden'],
    ['GET ~/sync?timeout=x', 'answer 400', 'answer 400', 'forbidden'],
    ['GET ~/joined_rooms', 'forward', 'forward', 'forward'],
    ['GET ~/account/whoami', 'answer 200', 'answer 200', 'answer 200'],
    ['POST ~/logout', 'deed', 'deed', 'deed'],
    ['POST ~/logout/all', 'refused', 'refused', 'refused'],
    ['GET ~/profile/@bob:hs.test', 'forward', 'forward', 'forbidden'],
    ['GET ~/profile/@bob:hs.test/org.other', 'answer 404', 'answer 404', 'forbidden'],
    ['GET ~/profile/bob', 'forbidden', 'forbidden', 'forbidden'],
    ['GET ~/rooms/ROOM/threads', 'no line', 'no line', 'no line'],
    ['GET ~/rooms/ROOM/initialSync', 'no line', 'no line', 'no line'],
    ['POST ~/search', 'no line', 'no line', 'no line'],
  ])('%s', (request, inScope, outside, unread) => {
    const none = accessOf([OPS], { scope: { v: 1, rooms: [OPS], can: [] } });
    expect(kindOf(verdict(request.replace('ROOM', OPS)))).toBe(inScope);
    expect(kindOf(verdict(request.replace('ROOM', SECRET)))).toBe(outside);
    expect(kindOf(verdict(request.replace('ROOM', OPS), none))).toBe(unread);
  });

  test('the rooms that are open decide, not the ones the scope names', () => {
    const closed: Access = { grant: grantOf([OPS]), rooms: new Set() };
    expect(kindOf(verdict(`GET ~/rooms/${OPS}/state`, closed))).toBe('forbidden');
    const all: Access = { grant: grantOf('all'), rooms: new Set([OPS]) };
    expect(kindOf(verdict(`GET ~/rooms/${SECRET}/state`, all))).toBe('forbidden');
  });

  test('a join of oneself becomes a look at whether one is joined', () => {
    const own = `PUT ~/rooms/${OPS}/state/m.room.member/${ALICE}`;
    expect(verdict(own, accessOf([OPS]), { membership: 'join', displayname: 'Mallory' })).toMatchObject({
      request: {
        method: 'GET',
        path: `/_matrix/client/v3/rooms/!ops%3Ahs.test/state/m.room.member/%40alice%3Ahs.test`,
        query: [['format', 'event']],
      },
    });
    for (const body of [{ membership: 'leave' }, { membership: ['join'] }, [], null])
      expect(kindOf(verdict(own, accessOf([OPS]), body))).toBe('forbidden');
    expect(kindOf(verdict(own.replace(ALICE, '@bob:hs.test'), accessOf([OPS]), { membership: 'join' }))).toBe('forbidden');
  });
});

describe('the catalogue', () => {
  test('has each id once, a reason in a sentence, and asks the homeserver with GET alone', () => {
    const ids = CATALOGUE.map((line) => line.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(CATALOGUE.filter((line) => !line.why.endsWith('.')).map((line) => line.id)).toEqual([]);
  });

  test('a path with a room or a user in it is judged by them', () => {
    const serving = CATALOGUE.filter((line) => line.kind !== 'refused' && line.kind !== 'notice' && line.kind !== 'open');
    const naming = (name: string) => serving.filter(({ paths }) => paths.some((path) => path.includes(name)));
    // Account data is never there, in whichever room and of whomever.
    const careless = [
      ...naming('{roomId}').filter((line) => line.room !== 'path'),
      ...naming('{userId}').filter((line) => line.user !== 'self' && !(line.kind === 'forward' && line.acquainted === true)),
    ];
    expect([...new Set(careless.map((line) => line.id))]).toEqual(['getAccountDataPerRoom', 'getAccountData']);
  });

  test('two lines that claim the same are an error at start', () => {
    expect(() => routerOf([...CATALOGUE, ...CATALOGUE.slice(0, 1)])).toThrow(/Two lines/);
  });
});
