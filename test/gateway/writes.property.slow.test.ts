import { isTask } from '../../src/gateway/request/endpoint.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Permission } from '../../src/domain/permission.ts';
import type { RoomId } from '../../src/domain/ids.ts';
import { typeAllowed } from '../../src/domain/scope-checks.ts';
import { allows } from '../../src/domain/scope.ts';
import { isResponse } from '../../src/gateway/http/response.ts';
import { CATALOGUE } from '../../src/gateway/endpoints/catalogue.ts';
import { planFor } from '../../src/gateway/steps/authorize.ts';
import { parseJson } from '../../src/gateway/http/json.ts';
import { parseTarget } from '../../src/gateway/http/target.ts';
import { createRouter } from '../../src/gateway/request/router.ts';
import { DEV, grantOf, OPS, SECRET } from './support/grants.ts';
import { answerAsRoom, writesAt, writingStage } from './support/writing-room.ts';

const ROOMS = [OPS, DEV, SECRET] as const;
const TYPES = [
  'm.room.message',
  'm.sticker',
  'm.reaction',
  'm.room.encrypted',
  'm.room.redaction',
  'm.room.member',
  'm.room.topic',
  'm.call.invite',
  'm.key.verification.start',
  'com.example.x',
];
const EVENTS = ['$own', '$bobs', '$sticker', '$name', '$elsewhere', '$gone', '$own/x', ''];
const PERMISSIONS: readonly Permission[] = [
  'read',
  'send',
  'send:m.room.message',
  'send:m.room.*',
  'send:com.*',
  'send:m.room.encrypted',
  'react',
  'edit',
  'redact',
  'redact-others',
  'plaintext',
];

const scope = fc.record(
  {
    rooms: fc.constantFrom<RoomId[]>([OPS], [DEV], [OPS, DEV], [OPS, DEV]),
    can: fc.subarray([...PERMISSIONS], { minLength: 3 }),
    types: fc.subarray(['m.room.*', 'm.reaction', 'com.example.x', 'm.sticker']),
  },
  { requiredKeys: ['rooms', 'can'] },
);
const spelled = (text: string) =>
  fc.constantFrom(
    text,
    encodeURIComponent(text),
    encodeURIComponent(text),
    `${text}%2f`,
    `${text}*`,
    text.toUpperCase(),
    `${text}%20`,
  );
const part = fc.constantFrom('send', 'redact', 'state', 'typing', 'leave');
const path = fc
  .tuple(
    fc.constantFrom(...ROOMS).chain(spelled),
    part,
    fc.constantFrom(...TYPES, ...EVENTS).chain(spelled),
    fc.constantFrom('/t1', '', '/'),
  )
  .map(([room, what, which, rest]) => `/_matrix/client/v3/rooms/${room}/${what}/${which}${rest}`);
const relation = fc.record(
  {
    rel_type: fc.constantFrom('m.replace', 'm.annotation', 'm.thread', 'm.reference', 'm.other'),
    event_id: fc.constantFrom(...EVENTS),
    key: fc.constant('x'),
    'm.in_reply_to': fc.record({ event_id: fc.constantFrom(...EVENTS) }),
  },
  { requiredKeys: [] },
);
const content = fc.record(
  {
    body: fc.constantFrom('hello', '@room'),
    msgtype: fc.constantFrom('m.text', 'm.key.verification.request'),
    'm.relates_to': relation,
    'm.new_content': fc.record({ body: fc.constantFrom('new', '@room') }),
    'm.mentions': fc.record({ room: fc.boolean() }, { requiredKeys: [] }),
    reason: fc.constant('r'),
  },
  { requiredKeys: [] },
);
const request = fc.record({
  method: fc.constantFrom('PUT', 'PUT', 'PUT', 'POST', 'DELETE'),
  path,
  query: fc.constantFrom('', '', '', '', 'org.matrix.msc4140.delay=1', 'ts=1'),
  body: content.map((one) => JSON.stringify(one)),
});
/** What has a chance: plainly spelled, with little in it. */
const likely = fc.record({
  method: fc.constant('PUT'),
  path: fc
    .tuple(
      fc.constantFrom(...ROOMS),
      fc.constantFrom(
        'send/m.room.message',
        'send/com.example.x',
        'send/m.sticker',
        'send/m.reaction',
        ...TYPES.map((type) => `send/${type}`),
        'redact/$own',
        'redact/$bobs',
        'redact/$elsewhere',
      ),
    )
    .map(([room, below]) => `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/${below}/t1`),
  query: fc.constant(''),
  body: fc.oneof(
    { weight: 3, arbitrary: fc.constant('{"body":"hello"}') },
    relation.map((one) => JSON.stringify({ body: 'x', 'm.new_content': {}, 'm.relates_to': one })),
    fc
      .constantFrom(...EVENTS)
      .map((event_id) =>
        JSON.stringify({ 'm.relates_to': { rel_type: 'm.annotation', event_id, key: 'x' } }),
      ),
  ),
});
const attempt = fc.oneof(request, { weight: 3, arbitrary: likely });
const router = createRouter(CATALOGUE);

/** What the rules come to, said once more and in another way: by what is written, not by what is asked. */
function expectWithin(
  granted: ReturnType<typeof grantOf>['scope'],
  path: string,
  body: Record<string, unknown>,
): void {
  const [, roomText = '', what, which = ''] =
    /^\/_matrix\/client\/v3\/rooms\/([^/]+)\/(send|redact)\/([^/]+)/.exec(path) ?? [];
  const room = decodeURIComponent(roomText) as RoomId;
  const name = decodeURIComponent(which);
  expect(granted.rooms).toContain(room);
  if (what === 'redact') {
    expect(allows(granted, 'redact') || allows(granted, 'redact-others')).toBe(true);
    expect(Object.keys(body).filter((key) => key !== 'reason')).toEqual([]);
    return;
  }
  expect(what).toBe('send');
  expect(typeAllowed(granted, name === 'm.reaction' ? 'react' : 'send', name)).toBe(true);
  expect([
    'm.room.redaction',
    'm.room.member',
    'm.key.verification.start',
    'm.call.invite',
    'm.room.topic',
  ]).not.toContain(name);
  if (name === 'm.room.encrypted') expect(granted.can).toContain('send:m.room.encrypted');
  const text = JSON.stringify(body);
  expect(text).not.toContain('m.key.verification');
  expect(text).not.toContain('"room":true');
  if (text.includes('"m.replace"')) expect(granted.can).toContain('edit');
  if (text.includes('"m.annotation"')) expect(name).toBe('m.reaction');
}

test('whatever is written, what would be sent lies within the scope', () => {
  let written = 0;
  fc.assert(
    fc.property(scope, attempt, (narrowed, { method, path, query, body }) => {
      const target = parseTarget(query === '' ? path : `${path}?${query}`);
      if ('status' in target) return;
      const route = router(method, target.segments);
      if (route === null || !isTask(route.endpoint, 'write')) return;
      const parsed = parseJson(body);
      if (isResponse(parsed)) return;
      const grant = grantOf(narrowed.rooms, { scope: { v: 1, ...narrowed } });
      const access = { grant, rooms: new Set(narrowed.rooms) };
      const plan = planFor(route.endpoint, {
        params: route.params,
        query: target.query.values,
        body: parsed.value,
        access,
        now: 0,
      });
      if (plan.kind !== 'task' || plan.task.kind !== 'write') {
        expect(plan.kind).toBe('answer');
        return;
      }
      written++;
      expect(query).toBe('');
      expectWithin(grant.scope, plan.task.write.path, plan.task.write.content);
    }),
    { numRuns: 20_000 },
  );
  expect(written).toBeGreaterThan(500);
});

test('over real sockets too, before a homeserver that shows any event through any room', async () => {
  let written = 0;
  await fc.assert(
    fc.asyncProperty(
      scope,
      fc.array(attempt, { minLength: 10, maxLength: 20 }),
      async (narrowed, requests) => {
        await using s = await writingStage(narrowed.can, { rooms: narrowed.rooms, scope: { ...narrowed } });
        answerAsRoom(s.homeserver, true);
        for (const [at, { method, path: sample, query, body }] of requests.entries()) {
          const path = sample.replace(/\/t1$/, `/t${at}`);
          s.homeserver.seen.length = 0;
          const got = await s.ask(method, query === '' ? path : `${path}?${query}`, { body });
          const writes = writesAt(s.homeserver);
          expect(writes.length).toBeLessThanOrEqual(1);
          if (writes.length === 1) expect(got.status).toBe(200);
          for (const { path: asked, body: sent } of writes) {
            written++;
            const granted = { v: 1, ...narrowed } as const;
            expectWithin(granted, asked, sent as Record<string, unknown>);
            const text = JSON.stringify(sent);
            expect(text).not.toContain('$elsewhere');
            expect(text).not.toContain('$gone');
            if (text.includes('"m.replace"'))
              expect(text).not.toMatch(/"m\.replace","event_id":"\$(?:bobs|name)"/);
            if (asked.includes('/redact/')) expect(asked).not.toMatch(/elsewhere|gone|name/);
            if (asked.includes('/redact/%24bobs')) expect(narrowed.can).toContain('redact-others');
            if (asked.includes('/redact/%24own')) expect(narrowed.can).toContain('redact');
            if (asked.includes(DEV) && !/m\.reaction|m\.room\.encrypted|\/redact\//.test(asked))
              expect(narrowed.can).toContain('plaintext');
          }
          for (const { url } of s.homeserver.seen) expect(url).not.toContain(encodeURIComponent(SECRET));
        }
      },
    ),
    { numRuns: 200 },
  );
  expect(written).toBeGreaterThan(50);
}, 60_000);
