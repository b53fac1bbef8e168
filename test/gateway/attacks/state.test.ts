import { describe, expect, test } from 'vitest';
import { ALICE, DEV, OPS, SECRET } from '../support/grants.ts';
import { INVITED, peopledStage } from '../support/peopled-room.ts';
import { TOKEN } from '../support/stage.ts';
import { BOB, inRoom, writesAt } from '../support/writing-room.ts';

/** What may be done by setting state, and what others let slip by it. */
const state = (below: string, room: string = OPS) => inRoom(room, `state/${below}`);
const TOPIC = '{"topic":"hello"}';
/** All that a stored scope could say, what is never granted included. */
const ANY = [
  'read',
  'join',
  'state',
  'state:*',
  'state:m.room.*',
  'state:m.room.member',
  'state:m.room.power_levels',
  'state:m.room.create',
  'state:m.room.tombstone',
  'state:m.room.third_party_invite',
  'state:m.room.redaction',
  'state:m.room.message',
];

describe('what is granted is set once, rewritten by the gateway', () => {
  test.each<[string, readonly string[], string, string]>([
    ['a type, with a slash', ['state:m.room.topic'], 'm.room.topic/', 'm.room.topic/'],
    ['a type, without', ['state:m.room.topic'], 'm.room.topic', 'm.room.topic/'],
    ['the empty key alone', ['state:m.room.topic:'], 'm.room.topic/', 'm.room.topic/'],
    ['a key', ['state:com.example.a:k'], 'com.example.a/k', 'com.example.a/k'],
    [
      'a key with odd letters',
      ['state:com.example.a'],
      "com.example.a/a;b=c&d'(x)+~",
      "com.example.a/a%3Bb%3Dc%26d'(x)%2B~",
    ],
    ['an encoded key', ['state:com.example.a:ä '], 'com.example.a/%C3%A4%20', 'com.example.a/%C3%A4%20'],
    ['a key with a slash', ['state:com.example.a'], 'com.example.a/b%2fc', 'com.example.a/b%2Fc'],
    ['any type that need not be named', ['state'], 'm.room.name/', 'm.room.name/'],
    ['one that must be, where it is', ['state:m.room.join_rules'], 'm.room.join_rules', 'm.room.join_rules/'],
    [
      'a child of a space, where that is named',
      ['state:m.space.child'],
      'm.space.child/!x:y',
      'm.space.child/!x%3Ay',
    ],
    [
      'a widget, where that is named',
      ['state:im.vector.modular.widgets'],
      'im.vector.modular.widgets/w',
      'im.vector.modular.widgets/w',
    ],
    [
      'encryption, where that is named',
      ['state:m.room.encryption'],
      'm.room.encryption/',
      'm.room.encryption/',
    ],
  ])('%s', async (_, can, asked, seen) => {
    await using s = await peopledStage(can as never);
    const got = await s.ask('PUT', state(asked), { body: '{ "topic" : "hello" }' });
    expect([got.status, got.body]).toEqual([200, { event_id: '$sent1' }]);
    const path = `/_matrix/client/v3/rooms/!ops%3Ahs.test/state/${seen}`;
    expect(writesAt(s.homeserver)).toEqual([{ method: 'PUT', path, url: path, body: { topic: 'hello' } }]);
  });

  test('into an encrypted room, since state is never encrypted', async () => {
    await using s = await peopledStage(['state']);
    expect((await s.ask('PUT', state('m.room.topic', DEV), { body: TOPIC })).status).toBe(200);
  });
});

describe('nothing else is set', () => {
  test.each<[string, readonly string[], string, string, number]>([
    ['another room', ['state'], state('m.room.topic', SECRET), TOPIC, 403],
    ['no room', ['state'], state('m.room.topic', '!nowhere:hs.test'), TOPIC, 403],
    ['an alias', ['state'], state('m.room.topic', '#ops:hs.test'), TOPIC, 403],
    [
      'a room behind an encoded slash',
      ['state'],
      `/_matrix/client/v3/rooms/${OPS}%2F..%2F${SECRET}/state/m.room.topic`,
      TOPIC,
      400,
    ],
    ['another type', ['state:m.room.topic'], state('m.room.name'), TOPIC, 403],
    ['another key', ['state:m.room.topic:'], state('m.room.topic/x'), TOPIC, 403],
    ['the empty key, where another is named', ['state:com.example.a:k'], state('com.example.a/'), TOPIC, 403],
    ['a key that begins so', ['state:com.example.a:k'], state('com.example.a/kx'), TOPIC, 403],
    ['a type outside `types`', ['state:m.room.name'], state('m.room.name'), TOPIC, 403],
    ['join rules under `state`', ['state'], state('m.room.join_rules'), '{"join_rule":"public"}', 403],
    ['join rules under a wildcard', ['state:m.*'], state('m.room.join_rules'), '{"join_rule":"public"}', 403],
    [
      'history visibility',
      ['state'],
      state('m.room.history_visibility/'),
      '{"history_visibility":"world_readable"}',
      403,
    ],
    ['server ACLs', ['state'], state('m.room.server_acl/'), '{"allow":["*"]}', 403],
    ['encryption', ['state'], state('m.room.encryption/'), '{"algorithm":"x"}', 403],
    ['a widget', ['state'], state('im.vector.modular.widgets/x'), '{"url":"https://evil.test"}', 403],
    ['a space’s child', ['state'], state(`m.space.child/${SECRET}`), '{"via":["hs.test"]}', 403],
    ['a space’s parent', ['state'], state(`m.space.parent/${SECRET}`), '{"via":["hs.test"]}', 403],
    [
      'an alias, which the homeserver would look up at a server of one’s choice',
      ['state'],
      state('m.room.canonical_alias'),
      '{"alt_aliases":["#x:evil.test"]}',
      403,
    ],
    [
      'the configuration of a bot under `state`',
      ['state'],
      state('uk.half-shot.matrix-hookshot.generic.hook/x'),
      '{"name":"x"}',
      403,
    ],
    ['a bridge’s configuration', ['state', 'state:m.*'], state('m.bridge/x'), '{}', 403],
    ['what nobody knows', ['state', 'state:com.*', 'state:com.example.*'], state('com.example.b'), '{}', 403],
    ['a policy', ['state'], state('m.policy.rule.user/x'), '{"entity":"@bob:hs.test"}', 403],
    ['a call’s membership', ['state'], state('org.matrix.msc3401.call.member/x'), '{}', 403],
    [
      'power levels, though a stored scope names them',
      ANY,
      state('m.room.power_levels'),
      `{"users":{"${ALICE}":100}}`,
      403,
    ],
    ['power levels under another spelling of the path', ANY, state('m.room.power%5Flevels'), '{}', 403],
    ['a create event', ANY, state('m.room.create'), '{}', 403],
    ['a tombstone', ANY, state('m.room.tombstone'), `{"replacement_room":"${SECRET}"}`, 403],
    ['an invite by address', ANY, state('m.room.third_party_invite/t'), '{}', 403],
    [
      'a redaction as state, which homeservers carry out',
      ANY,
      state('m.room.redaction/x'),
      '{"redacts":"$bobs"}',
      403,
    ],
    ['a message as state', ANY, state('m.room.message/x'), '{"msgtype":"m.text","body":"hello"}', 403],
    ['a reaction as state', ANY, state('m.reaction/x'), '{}', 403],
    ['ciphertext as state', ANY, state('m.room.encrypted/x'), '{}', 403],
    ['a verification as state', ANY, state('m.key.verification.request/x'), '{}', 403],
    [
      'what relates to something',
      ['state'],
      state('m.room.topic'),
      '{"topic":"x","m.relates_to":{"rel_type":"m.annotation","event_id":"$bobs","key":"x"}}',
      403,
    ],
    [
      'what rings everybody',
      ['state'],
      state('m.room.topic'),
      '{"topic":"x","m.mentions":{"room":true}}',
      403,
    ],
    [
      'what begins a verification',
      ['state'],
      state('com.example.a'),
      '{"msgtype":"m.key.verification.request"}',
      403,
    ],
    ['another’s membership', ANY, state(`m.room.member/${BOB}`), '{"membership":"leave"}', 403],
    ['another’s invite', ANY, state('m.room.member/@eve:hs.test'), '{"membership":"invite"}', 403],
    ['another’s ban', ANY, state(`m.room.member/${BOB}`), '{"membership":"ban"}', 403],
    ['a membership of nobody', ANY, state('m.room.member/'), '{"membership":"join"}', 403],
    ['a membership without a key', ANY, state('m.room.member'), '{"membership":"join"}', 403],
    ['leaving by one’s own membership', ANY, state(`m.room.member/${ALICE}`), '{"membership":"leave"}', 403],
    ['a knock by one’s own membership', ANY, state(`m.room.member/${ALICE}`), '{"membership":"knock"}', 403],
    ['one’s own membership, a list', ANY, state(`m.room.member/${ALICE}`), '{"membership":["join"]}', 403],
    [
      'one’s own membership under another case',
      ANY,
      state(`m.room.member/${ALICE.toUpperCase()}`),
      '{"membership":"join"}',
      403,
    ],
    ['a type with a space', ['state'], state('m.room.member%20/x'), '{}', 403],
    ['a type with a colon', ['state'], state('m.room.member:x/x'), '{"membership":"ban"}', 403],
    ['a type that is a wildcard', ['state'], state('*'), '{}', 403],
    ['a key with a slash', ['state'], state('com.example.a/b/c'), '{}', 404],
    ['a key with an encoded slash, and no other type', ['state'], state('com.example.a/b%2Fc'), '{}', 403],
    ['a type with an encoded slash', ['state'], state('com.example%2Fa/b'), '{}', 400],
    ['a key with a backslash', ['state'], state('com.example.a/b%5Cc'), '{}', 400],
    ['a key that ends a text', ['state'], state('com.example.a/b%00c'), '{}', 400],
    ['a key that turns the direction', ['state'], state('com.example.a/b%E2%80%AEc'), '{}', 400],
    ['a key that is not UTF-8', ['state'], state('com.example.a/%ff'), '{}', 400],
    ['a key encoded twice', ['state'], state('com.example.a/%2540x'), '{}', 400],
    ['a key that is too long', ['state:com.example.a'], state(`com.example.a/${'x'.repeat(256)}`), '{}', 400],
    ['delayed state', ['state'], `${state('m.room.topic')}?org.matrix.msc4140.delay=1000`, TOPIC, 400],
    ['state of the past', ['state'], `${state('m.room.topic')}?ts=1`, TOPIC, 400],
    ['another sender', ['state'], `${state('m.room.topic')}?user_id=@bob:hs.test`, TOPIC, 400],
    ['a list', ['state'], state('m.room.topic'), '[]', 400],
    ['no body', ['state'], state('m.room.topic'), '', 400],
    ['a key of JSON twice', ['state'], state('m.room.topic'), '{"topic":"a","topic":"b"}', 400],
  ])('%s', async (what, can, path, body, status) => {
    await using s = await peopledStage(
      can as never,
      what.includes('`types`') ? { scope: { types: ['m.room.topic'] } } : {},
    );
    const got = await s.ask('PUT', path, { body });
    if (status === 200) {
      // Nothing that a homeserver takes for a membership.
      expect(writesAt(s.homeserver).map((one) => one.path)).toEqual([
        '/_matrix/client/v3/rooms/!ops%3Ahs.test/state/m.room.member%3Ax/x',
      ]);
      return;
    }
    expect(got.status).toBe(status);
    expect(s.homeserver.seen).toEqual([]);
  });

  test.each([
    '../!secret:hs.test/state/m.room.topic',
    `${OPS}/state/com.example.a/%2e%2e`,
    `${OPS}/state/m.room.topic/..;x`,
  ])('dots: %s', async (below) => {
    await using s = await peopledStage(['state']);
    const head = `PUT /_matrix/client/v3/rooms/${below} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${TOKEN}`;
    const got = await s.raw(
      `${head}\r\nconnection: close\r\ncontent-length: ${TOPIC.length}\r\n\r\n${TOPIC}`,
    );
    expect(got).toMatch(/^HTTP\/1\.1 400 /);
    expect(s.homeserver.seen).toEqual([]);
  });

  test.each(['POST', 'DELETE'])('%s', async (method) => {
    await using s = await peopledStage(['state']);
    for (const below of ['m.room.topic', 'com.example.a/k'])
      expect([404, 405]).toContain((await s.ask(method, state(below), { body: TOPIC })).status);
    expect(s.homeserver.seen).toEqual([]);
  });

  test('CVE-2023-32323 (GHSA-f3wc-3vxv-xmvr, Synapse): state too large for the invites that carry it', async () => {
    await using s = await peopledStage(['state']);
    expect(
      (await s.ask('PUT', state('m.room.name'), { body: JSON.stringify({ name: 'x'.repeat(64_001) }) }))
        .status,
    ).toBe(413);
    expect(s.homeserver.seen).toEqual([]);
  });

  test('CVE-2020-26257 (GHSA-hxmp-pqch-c8mm, Synapse): another room in the body is content and nothing more', async () => {
    await using s = await peopledStage(['state']);
    const body = { topic: 'x', room_id: SECRET, state_key: BOB, type: 'm.room.member', sender: BOB };
    expect((await s.ask('PUT', state('m.room.topic'), { body: JSON.stringify(body) })).status).toBe(200);
    const [write] = writesAt(s.homeserver);
    expect(write).toMatchObject({
      path: '/_matrix/client/v3/rooms/!ops%3Ahs.test/state/m.room.topic/',
      body,
    });
  });

  test('without the capability, what is lacking is said, whatever the room', async () => {
    await using s = await peopledStage(['read', 'send']);
    const got = await Promise.all(
      [OPS, SECRET, '!nowhere:hs.test'].map((room) =>
        s.ask('PUT', state('m.room.topic', room), { body: TOPIC }),
      ),
    );
    for (const { status, body } of got)
      expect([status, body['error']]).toEqual([403, 'This token does not hold the capability state.']);
    expect(s.homeserver.seen).toEqual([]);
  });
});

describe('the homeserver’s answer', () => {
  test.each([{}, { event_id: 1 }, { event_id: 'x' }, [], null])('%j is not passed on', async (answer) => {
    await using s = await peopledStage(['state']);
    s.homeserver.answer(() => answer);
    expect((await s.ask('PUT', state('m.room.topic'), { body: TOPIC })).status).toBe(502);
  });

  test('a refusal says nothing of the homeserver’s own words', async () => {
    await using s = await peopledStage(['state']);
    s.homeserver.answer((_, response) => {
      response
        .writeHead(403, { 'content-type': 'application/json' })
        .end(`{"errcode":"M_FORBIDDEN","error":"${SECRET}"}`);
    });
    const got = await s.ask('PUT', state('m.room.topic'), { body: TOPIC });
    expect([got.status, JSON.stringify(got.body).includes(SECRET)]).toEqual([403, false]);
  });
});

describe('a join of oneself by state', () => {
  test('changes nothing: what stands is looked up', async () => {
    await using s = await peopledStage(['read']);
    const got = await s.ask('PUT', state(`m.room.member/${ALICE}`), {
      body: '{"membership":"join","displayname":"Mallory"}',
    });
    expect([got.status, got.body]).toEqual([200, { room_id: OPS, event_id: '$member' }]);
    expect(s.homeserver.seen.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'GET /_matrix/client/v3/rooms/!ops%3Ahs.test/state/m.room.member/%40alice%3Ahs.test?format=event',
    ]);
  });

  const OWN = (room: string) => state(`m.room.member/${ALICE}`, room);
  const join = (more: object = {}) => ({ body: JSON.stringify({ membership: 'join', ...more }) });

  test('is no way into a room without `join`, with everything else', async () => {
    await using s = await peopledStage(['read', 'state', 'profile', 'knock', 'leave', 'invite']);
    const got = await s.ask('PUT', OWN(INVITED), join());
    expect([got.status, got.body['error']]).toEqual([403, 'This token does not hold the capability join.']);
    expect(writesAt(s.homeserver)).toEqual([]);
  });

  test('is the join it is with `join`: the membership and a reason, and nothing else of it', async () => {
    await using s = await peopledStage(['join']);
    const more = {
      displayname: 'Mallory',
      avatar_url: 'mxc://hs.test/evil',
      reason: 'why not',
      is_direct: true,
      join_authorised_via_users_server: BOB,
      third_party_invite: { signed: {} },
    };
    const got = await s.ask('PUT', OWN(INVITED), join(more));
    expect([got.status, got.body]).toEqual([200, { event_id: '$sent1' }]);
    expect(writesAt(s.homeserver)).toEqual([
      expect.objectContaining({
        method: 'PUT',
        path: '/_matrix/client/v3/rooms/!invited%3Ahs.test/state/m.room.member/%40alice%3Ahs.test',
        body: { membership: 'join', reason: 'why not' },
      }),
    ]);
  });

  test('shows another name and picture with `profile`, in a room one is in too', async () => {
    await using s = await peopledStage(['read', 'join', 'profile']);
    const shown = { displayname: 'Al', avatar_url: 'mxc://hs.test/al' };
    for (const room of [INVITED, OPS]) await s.ask('PUT', OWN(room), join(shown));
    expect(writesAt(s.homeserver).map(({ body }) => body)).toEqual([
      { membership: 'join', ...shown },
      { membership: 'join', ...shown },
    ]);
    for (const bad of [
      { displayname: 'a\u0000b' },
      { displayname: 'x'.repeat(300) },
      { avatar_url: 'https://x' },
      { displayname: {} },
    ])
      expect((await s.ask('PUT', OWN(INVITED), join(bad))).status).toBe(400);
    expect(writesAt(s.homeserver)).toHaveLength(2);
  });

  test('changes no name without `join`: where the subject left meanwhile, that would be a join', async () => {
    await using s = await peopledStage(['read', 'profile', 'state']);
    const got = await s.ask('PUT', OWN(OPS), join({ displayname: 'Al' }));
    expect([got.status, got.body]).toEqual([200, { room_id: OPS, event_id: '$member' }]);
    expect(writesAt(s.homeserver)).toEqual([]);
  });

  test('goes nowhere else: outside the scope, for others, with parameters, by rules against the join', async () => {
    await using s = await peopledStage(['read', 'join', 'state', 'profile']);
    for (const [path, status] of [
      [OWN(SECRET), 403],
      [OWN('!nowhere:hs.test'), 403],
      [state(`m.room.member/${BOB}`, INVITED), 403],
      [state(`m.room.member/${ALICE}/`, INVITED), 404],
      [state(`m%2Eroom%2Emember/${ALICE}`, INVITED), 403],
      [`${OWN(INVITED)}?ts=1`, 400],
      [`${OWN(INVITED)}?org.matrix.msc4140.delay=1`, 400],
    ] as const)
      expect([path, (await s.ask('PUT', path, join())).status]).toEqual([path, status]);
    for (const membership of ['leave', 'invite', 'ban', 'knock', 'JOIN', null, ['join']])
      expect((await s.ask('PUT', OWN(INVITED), { body: JSON.stringify({ membership }) })).status).toBe(403);
    expect(writesAt(s.homeserver)).toEqual([]);
    for (const denied of [
      'POST /_matrix/client/v3/rooms/*/join',
      'POST /_matrix/client/v3/join/*',
      'PUT /_matrix/client/v3/rooms/*/state/**',
    ]) {
      await using ruled = await peopledStage(['join'], {
        scope: { rules: [[{ verdict: 'deny', on: denied }]] },
      });
      for (const [method, path] of [
        ['PUT', OWN(INVITED)],
        ['POST', inRoom(INVITED, 'join')],
      ] as const)
        expect((await ruled.ask(method, path, join())).status).toBe(403);
      expect(ruled.homeserver.seen).toEqual([]);
    }
  });
});
