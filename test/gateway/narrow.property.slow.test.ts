import { expect, test } from 'vitest';
import type { Scope } from '../../src/domain/scope.ts';
import { narrow, openRooms } from '../../src/domain/scope.ts';
import { unreachable } from '../../src/domain/errors.ts';
import type { CreatorPattern } from '../../src/domain/creator.ts';
import type { RoomId, UserId } from '../../src/domain/ids.ts';
import { FORBIDDEN, isResponse, NOT_FOUND, ok } from '../../src/gateway/http/response.ts';
import { CATALOGUE } from '../../src/gateway/endpoints/catalogue.ts';
import type { Tools } from '../../src/gateway/upstream/tools.ts';
import type { UpstreamRequest } from '../../src/gateway/http/call.ts';
import { readableTypesOf } from '../../src/gateway/filters/readable-types.ts';
import { filterSearch } from '../../src/gateway/filters/search.ts';
import { planFor } from '../../src/gateway/steps/authorize.ts';
import { parseJson } from '../../src/gateway/http/json.ts';
import { parseTarget } from '../../src/gateway/http/target.ts';
import { createRouter } from '../../src/gateway/request/router.ts';
import { isFromAllowedNetwork } from '../../src/gateway/steps/admit.ts';
import { isRefusedByRules } from '../../src/gateway/steps/check-endpoint.ts';
import { leakyAnswer } from './fuzz/leaky-answers.ts';
import { type Random, randomOf } from './fuzz/random.ts';
import { type Sample, sampleOf } from './fuzz/requests.ts';
import { scopeOf } from './fuzz/scopes.ts';
import { indexOf, JOINED, memberOf, OUTSIDE, ROOMS, SUBJECT } from './fuzz/world.ts';
import { grantOf } from './support/grants.ts';

// What the narrower scope allows, the wider allows: whatever two scopes are narrowed to one, every request
// that passes under it passes under both. Tested for `authorize`, the endpoint rules and the networks, with what is
// looked up answered as the fuzzed homeserver does.

const router = createRouter(CATALOGUE);
const CREATORS: ReadonlyMap<RoomId, UserId> = new Map(
  ROOMS.map((room, index) => [room, memberOf(index) as UserId]),
);
const PEER = { socket: { remoteAddress: '127.0.0.1' }, rawHeaders: [] } as unknown as Parameters<
  typeof isFromAllowedNetwork
>[1];

/** A scope with every part there is, enforced yet or not. */
function wideScope(random: Random): Scope {
  const by = random.some<CreatorPattern>(['@nq0u:hs.test', '@nq*:hs.test', '@nq1u:hs.test'], 0.5);
  return {
    ...scopeOf(random),
    ...(random.chance(0.2) ? { by } : {}),
    ...(random.chance(0.2) ? { power: random.pick([0, 50, 100]) } : {}),
    ...(random.chance(0.2) ? { from: random.some(['127.0.0.0/8', '127.0.0.1/32', '10.0.0.0/8'], 0.5) } : {}),
    ...(random.chance(0.2) ? { followUpgrades: true } : {}),
    ...(random.chance(0.2) ? { uses: 1 + random.int(5) } : {}),
  };
}

/**
 * Read markers of several kinds at once: a kind that is not granted is dropped before it is looked at, so an
 * event of another room in it is no fault to the narrower scope, and spoils the request of the wider.
 */
function spoils({ target, body }: Sample): boolean {
  return target.includes('/read_markers') && new Set((body ?? '').match(/\$nq\d/g)).size > 1;
}

/**
 * Whether something comes of it beyond an answer that is made here. A parameter that is not understood is
 * only looked at where the scope lets it count: that the request is then answered 400 is no matter of scope.
 */
async function passes(scope: Scope, sample: Sample, orNotUnderstood = false): Promise<boolean> {
  const target = parseTarget(sample.target);
  if ('status' in target) return false;
  const route = router(sample.method, target.segments);
  if (route === null || ['refused', 'static', 'public'].includes(route.endpoint.kind)) return false;
  const { endpoint, params } = route;
  if (endpoint.kind === 'refused' || endpoint.kind === 'static' || endpoint.kind === 'public') return false;
  if (!isFromAllowedNetwork(scope, PEER, []) || isRefusedByRules(scope, sample.method, target, route))
    return false;
  const body = parseJson(sample.body ?? '{}');
  if (isResponse(body)) return false;
  const rooms = openRooms(scope, JOINED, new Set([OUTSIDE]), CREATORS);
  const access = { grant: grantOf(scope.rooms, { subject: SUBJECT, scope }), rooms };
  const plan = planFor(endpoint, { params, query: target.query.values, body: body.value, access, now: 0 });
  if (plan.kind === 'answer') return orNotUnderstood && plan.response.status === 400;
  if (plan.kind === 'forward') return true;
  const { task } = plan;
  switch (task.kind) {
    case 'emptySync':
    case 'token':
      return false;
    case 'multiStep': {
      let asked = 0;
      const answer = await task.steps(toolsOf(rooms, () => void asked++));
      return asked > 0 && answer.status < 400;
    }
    case 'write':
      return task.write.targets.every(({ eventId, fits }) => {
        const room = ROOMS.find((one) => eventId.startsWith(`$nq${indexOf(one)}`));
        if (room !== task.write.roomId) return false;
        const event = JSON.parse(
          leakyAnswer('GET', segmentsOf(`/_matrix/client/v3/rooms/${room}/event/${eventId}`), false).body,
        ) as Record<string, unknown>;
        return fits(event) === null;
      });
    case 'poll':
    case 'slidingSync':
    case 'media':
      return true;
    default:
      return unreachable(task);
  }
}

const segmentsOf = (path: string): string[] => path.split('/').map(decodeURIComponent);

function toolsOf(rooms: ReadonlySet<RoomId>, onAsk: () => void): Tools {
  const reply = ({ method, path, query }: UpstreamRequest) => {
    onAsk();
    const { status, body } = leakyAnswer(
      method,
      segmentsOf(path),
      query.some(([name, value]) => name === 'format' && value === 'event'),
    );
    return { status, body: JSON.parse(body) as unknown, retryAfter: null };
  };
  const ask = (request: UpstreamRequest) => {
    const { status, body } = reply(request);
    return Promise.resolve(status === 200 ? { got: body } : status === 404 ? NOT_FOUND : FORBIDDEN);
  };
  return {
    ask,
    show: async (request, work, shown) => {
      const asked = await ask(request);
      return 'got' in asked ? ok(filterSearch(asked.got, shown, readableTypesOf(work.view.scope))) : asked;
    },
    lookUp: (request) => Promise.resolve({ response: reply(request) }),
    change: (request, _pace, roomId) =>
      roomId !== null && !rooms.has(roomId) ? Promise.resolve(FORBIDDEN) : ask(request),
    changeMembership: (request, roomId) => (rooms.has(roomId) ? ask(request) : Promise.resolve(FORBIDDEN)),
    roomsInScope: () => Promise.resolve(rooms),
    refreshRooms: () => Promise.resolve(),
  };
}

test('whatever passes under a narrowed scope passes under both that it was narrowed from', async () => {
  const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000);
  const random = randomOf(seed);
  const passed = new Set<string>();
  let count = 0;
  for (let at = 0; at < 15_000; at++) {
    const [a, b] = [wideScope(random), wideScope(random)];
    const both = narrow(a, b);
    const sample = sampleOf(random, [...openRooms(both, JOINED, new Set([OUTSIDE]), CREATORS)]);
    if (!(await passes(both, sample)) || spoils(sample)) continue;
    count++;
    passed.add(sample.target.replace(/\?.*/, '').replaceAll(/![^/]*|%40[^/]*|%24[^/]*|nq\d\w*/g, '…'));
    for (const wider of [a, b]) {
      // In words, so that all of it can be seen.
      const said = (await passes(wider, sample, true)) ? '' : JSON.stringify({ seed, wider, both, sample });
      expect(said).toBe('');
    }
  }
  expect(count).toBeGreaterThan(700);
  expect(passed.size).toBeGreaterThan(60);
}, 60_000);

test('it can fail: a scope that is not the narrower of two', async () => {
  const random = randomOf(1);
  let found = false;
  for (let at = 0; at < 5_000 && !found; at++) {
    const [a, b] = [wideScope(random), wideScope(random)];
    const sample = sampleOf(random, [...openRooms(a, JOINED, new Set([OUTSIDE]), CREATORS)]);
    found = (await passes(a, sample)) && !(await passes(narrow(a, b), sample));
  }
  expect(found).toBe(true);
});
