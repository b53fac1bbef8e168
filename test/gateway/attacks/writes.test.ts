import { describe, expect, test } from 'vitest';
import type { GrantId, RoomId } from '../../../src/domain/ids.ts';
import { ALICE, DEV, OPS, SECRET } from '../support/grants.ts';
import { answerAsRoom, inRoom, V3, writesAt, writingStage } from '../support/writing-room.ts';
import { settled } from '../../support/wait.ts';

const hello = { msgtype: 'm.text', body: 'hello' };
const HELLO = JSON.stringify(hello);
const relating = (relation: unknown, more: object = {}) =>
  JSON.stringify({ ...hello, ...more, 'm.relates_to': relation });
const edit = (event_id: string) => relating({ rel_type: 'm.replace', event_id }, { 'm.new_content': hello });
const reaction = (event_id: unknown, more: object = {}) =>
  JSON.stringify({ ...more, 'm.relates_to': { rel_type: 'm.annotation', event_id, key: '👍' } });
const send = (type: string, room: string = OPS, txn = 't1') => inRoom(room, `send/${type}/${txn}`);
const redact = (event: string, room: string = OPS, txn = 't1') =>
  inRoom(room, `redact/${encodeURIComponent(event)}/${txn}`);
const EVERYTHING = ['read', 'send', 'react', 'edit', 'redact', 'redact-others', 'plaintext'] as const;

describe('what a scope holds is sent, rebuilt', () => {
  test('a message: its content alone, under a transaction id of the grant’s', async () => {
    await using s = await writingStage(['send:m.room.message']);
    const got = await s.ask('PUT', send('m.room.message'), {
      body: `  ${HELLO}\n`,
      headers: { 'x-evil': '1' },
    });
    expect([got.status, got.body]).toEqual([200, { event_id: '$sent1' }]);
    const [written, ...more] = writesAt(s.homeserver);
    expect(more).toEqual([]);
    expect(written?.path).toMatch(
      /^\/_matrix\/client\/v3\/rooms\/!ops%3Ahs\.test\/send\/m\.room\.message\/mw[A-Za-z0-9_-]{32}$/,
    );
    expect(written?.body).toEqual(hello);
    expect(s.homeserver.seen.at(-1)?.headers).not.toHaveProperty('x-evil');
  });

  test('without a transaction id: sent each time', async () => {
    await using s = await writingStage(['send']);
    for (let i = 0; i < 2; i++)
      expect((await s.ask('POST', inRoom(OPS, 'send/m.room.message'), { body: HELLO })).status).toBe(200);
    const paths = writesAt(s.homeserver).map(({ method, path }) => `${method} ${path}`);
    expect(new Set(paths).size).toBe(2);
    expect(paths[0]).toMatch(/^PUT /);
  });

  test.each<[string, readonly (typeof EVERYTHING)[number][], string, string]>([
    ['a reaction', ['react'], send('m.reaction'), reaction('$bobs')],
    ['a reaction in an encrypted room', ['react'], send('m.reaction', OPS), reaction('$own')],
    ['an edit of an own event', ['send', 'edit'], send('m.room.message'), edit('$own')],
    ['a reply', ['send'], send('m.room.message'), relating({ 'm.in_reply_to': { event_id: '$bobs' } })],
    [
      'a thread',
      ['send'],
      send('m.room.message'),
      relating({ rel_type: 'm.thread', event_id: '$bobs', 'm.in_reply_to': { event_id: '$own' } }),
    ],
    [
      'mentions of people',
      ['send'],
      send('m.room.message'),
      JSON.stringify({ ...hello, body: '@room', 'm.mentions': { user_ids: ['@b:x'] } }),
    ],
    ['plaintext into an encrypted room', ['send', 'plaintext'], send('m.room.message', DEV), HELLO],
    ['redaction of an own event', ['redact'], redact('$own'), '{"reason":"typo"}'],
    ['redaction of another’s event', ['redact-others'], redact('$bobs'), '{}'],
  ])('%s', async (_, can, path, body) => {
    await using s = await writingStage(['read', ...can]);
    expect((await s.ask('PUT', path, { body })).status).toBe(200);
    expect(writesAt(s.homeserver)).toHaveLength(1);
  });

  test('of a redaction the reason alone: what relates to the event stays', async () => {
    await using s = await writingStage(['redact']);
    const body = JSON.stringify({
      reason: 'r',
      'org.matrix.msc3912.with_relations': ['*'],
      with_rel_types: ['*'],
    });
    await s.ask('PUT', redact('$own'), { body });
    expect(writesAt(s.homeserver)[0]?.body).toEqual({ reason: 'r' });
  });

  test('ciphertext, where it is named', async () => {
    await using s = await writingStage(['send:m.room.encrypted']);
    expect(
      (
        await s.ask('PUT', send('m.room.encrypted', DEV), {
          body: '{"algorithm":"m.megolm.v1.aes-sha2","ciphertext":"x"}',
        })
      ).status,
    ).toBe(200);
  });
});

type Case = [
  what: string,
  can: readonly string[],
  method: string,
  path: string,
  body: string,
  status: number,
];

describe('nothing else reaches the homeserver as a write', () => {
  test.each<Case>([
    ['nothing granted', ['read'], 'PUT', send('m.room.message'), HELLO, 403],
    ['another room', ['send'], 'PUT', send('m.room.message', SECRET), HELLO, 403],
    ['another room, for a redaction', ['redact'], 'PUT', redact('$elsewhere', SECRET), '{}', 403],
    [
      'another room behind a dot segment',
      ['send'],
      'PUT',
      `${inRoom(OPS, '..;')}/${encodeURIComponent(SECRET)}/send/m.room.message/t`,
      HELLO,
      400,
    ],
    [
      'another room behind an encoded slash',
      ['send'],
      'PUT',
      `${V3}/rooms/${encodeURIComponent(OPS)}%2f..%2f${encodeURIComponent(SECRET)}/send/m.room.message/t`,
      HELLO,
      400,
    ],
    ['another room in the query', ['send'], 'PUT', `${send('m.room.message')}?room_id=${SECRET}`, HELLO, 400],
    ['another type', ['send:m.room.message'], 'PUT', send('m.sticker'), HELLO, 403],
    ['a type with a slash behind', ['send:m.room.message'], 'PUT', send('m.room.message%2f'), HELLO, 400],
    [
      'a type with a slash and more',
      ['send:m.room.message'],
      'PUT',
      send('m.room.message%2f..%2fm.room.member'),
      HELLO,
      400,
    ],
    ['a type in other letters', ['send:m.room.message'], 'PUT', send('m.room.Message'), HELLO, 403],
    [
      'a type in letters that look alike',
      ['send:m.room.message', 'send:m.*'],
      'PUT',
      send('m.rооm.message'),
      HELLO,
      403,
    ],
    ['a type with a null', ['send:m.*'], 'PUT', send('m.room.message%00'), HELLO, 400],
    ['a type with a space', ['send:m.*'], 'PUT', send('m.room.message%20'), HELLO, 403],
    ['a type that is a wildcard', ['send:m.room.*'], 'PUT', send('m.room.*'), HELLO, 403],
    ['a type that begins alike', ['send:m.room.message'], 'PUT', send('m.room.message.x'), HELLO, 403],
    ['a type encoded twice', ['send'], 'PUT', send('m.room%252emessage'), HELLO, 400],
    ['a type that is empty', ['send'], 'PUT', `${inRoom(OPS, 'send')}//t1`, HELLO, 400],
    ['ciphertext that was not named', ['send', 'plaintext'], 'PUT', send('m.room.encrypted', DEV), '{}', 403],
    ['ciphertext under a wildcard', ['send:m.room.*'], 'PUT', send('m.room.encrypted', DEV), '{}', 403],
    [
      'what nobody knows',
      ['send', 'send:com.*', 'send:com.example.*'],
      'PUT',
      send('com.example.x'),
      '{}',
      403,
    ],
    [
      'a message in the homeserver’s name',
      ['send'],
      'PUT',
      send('m.room.message'),
      '{"msgtype":"m.server_notice","body":"x","server_notice_type":"m.server_notice.usage_limit_reached"}',
      403,
    ],
    [
      'the same under an exact name',
      ['send:m.room.message'],
      'PUT',
      send('m.room.message'),
      '{"msgtype":"m.server_notice","body":"x"}',
      403,
    ],
    [
      'the same in what replaces it',
      ['send', 'edit'],
      'PUT',
      send('m.room.message'),
      '{"msgtype":"m.text","body":"x","m.new_content":{"msgtype":"m.server_notice","body":"x"},"m.relates_to":{"rel_type":"m.replace","event_id":"$own"}}',
      403,
    ],
    [
      'a kind of message that nobody decided about',
      ['send'],
      'PUT',
      send('m.room.message'),
      '{"msgtype":"m.new","body":"x"}',
      403,
    ],
    ['a call', ['send'], 'PUT', send('m.call.invite'), '{}', 403],
    ['verification', ['send'], 'PUT', send('m.key.verification.start'), '{}', 403],
    [
      'verification as a message',
      ['send'],
      'PUT',
      send('m.room.message'),
      '{"msgtype":"m.key.verification.request","body":"x"}',
      403,
    ],
    ['state as a message', ['send'], 'PUT', send('m.room.topic'), '{"topic":"x"}', 403],
    ['membership as a message', ['send'], 'PUT', send('m.room.member'), '{"membership":"leave"}', 403],
    [
      'a redaction as a message',
      ['send', 'redact'],
      'PUT',
      send('m.room.redaction'),
      '{"redacts":"$own"}',
      403,
    ],
    ['a reaction without the capability', ['send'], 'PUT', send('m.reaction'), reaction('$own'), 403],
    [
      'a reaction as a message',
      ['send'],
      'PUT',
      send('m.room.message'),
      relating({ rel_type: 'm.annotation', event_id: '$own', key: 'x' }),
      403,
    ],
    ['a message as a reaction', ['react'], 'PUT', send('m.reaction'), HELLO, 403],
    ['a message in a reaction', ['react'], 'PUT', send('m.reaction'), reaction('$own', { body: 'x' }), 403],
    [
      'a message in a reaction’s relation',
      ['react'],
      'PUT',
      send('m.reaction'),
      '{"m.relates_to":{"rel_type":"m.annotation","event_id":"$own","key":"x","body":"hello"}}',
      403,
    ],
    [
      'a message as the name of a reaction’s key',
      ['react'],
      'PUT',
      send('m.reaction'),
      reaction('$own', { shortcode: 'x'.repeat(201) }),
      403,
    ],
    [
      'an object as the name of a reaction’s key',
      ['react'],
      'PUT',
      send('m.reaction'),
      reaction('$own', { shortcode: { body: 'hello' } }),
      403,
    ],
    [
      'a reaction with keys of a prototype',
      ['react'],
      'PUT',
      send('m.reaction'),
      '{"__proto__":{"body":"x"},"m.relates_to":{"rel_type":"m.annotation","event_id":"$own","key":"x"}}',
      403,
    ],
    [
      'a reaction as a message, with both',
      ['send', 'react'],
      'PUT',
      send('m.room.message'),
      reaction('$own'),
      403,
    ],
    [
      'a reaction to an event of another room',
      ['react'],
      'PUT',
      send('m.reaction'),
      reaction('$elsewhere'),
      403,
    ],
    ['a reaction to no event', ['react'], 'PUT', send('m.reaction'), reaction('$gone'), 403],
    ['a reaction to a path', ['react'], 'PUT', send('m.reaction'), reaction('$own/../../x?y'), 403],
    ['a reaction to a list', ['react'], 'PUT', send('m.reaction'), reaction(['$own']), 403],
    ['an edit without the capability', ['send'], 'PUT', send('m.room.message'), edit('$own'), 403],
    ['an edit of another’s event', ['send', 'edit'], 'PUT', send('m.room.message'), edit('$bobs'), 403],
    [
      'an edit of an event of another room',
      ['send', 'edit'],
      'PUT',
      send('m.room.message'),
      edit('$elsewhere'),
      403,
    ],
    ['an edit of another type', ['send', 'edit'], 'PUT', send('m.room.message'), edit('$sticker'), 403],
    ['an edit of state', ['send', 'edit'], 'PUT', send('m.room.message'), edit('$name'), 403],
    [
      'an edit of a type that may not be sent',
      ['send:m.sticker', 'edit'],
      'PUT',
      send('m.room.message'),
      edit('$own'),
      403,
    ],
    [
      'an edit into @room',
      ['send', 'edit'],
      'PUT',
      send('m.room.message'),
      relating(
        { rel_type: 'm.replace', event_id: '$own' },
        { 'm.new_content': { 'm.mentions': { room: true } } },
      ),
      403,
    ],
    [
      'a reply to an event of another room',
      ['send'],
      'PUT',
      send('m.room.message'),
      relating({ 'm.in_reply_to': { event_id: '$elsewhere' } }),
      403,
    ],
    [
      'a thread in another room',
      ['send'],
      'PUT',
      send('m.room.message'),
      relating({ rel_type: 'm.thread', event_id: '$elsewhere' }),
      403,
    ],
    [
      'a relation nobody knows',
      ['send', 'edit'],
      'PUT',
      send('m.room.message'),
      relating({ rel_type: 'm.replace2', event_id: '$own' }),
      403,
    ],
    [
      'a relation that is a list',
      ['send'],
      'PUT',
      send('m.room.message'),
      relating([{ rel_type: 'm.replace', event_id: '$own' }]),
      403,
    ],
    [
      'a relation with a kind that is a list',
      ['send'],
      'PUT',
      send('m.room.message'),
      relating({ rel_type: ['m.replace'], event_id: '$own' }),
      403,
    ],
    [
      '@room',
      ['send'],
      'PUT',
      send('m.room.message'),
      JSON.stringify({ ...hello, 'm.mentions': { room: true } }),
      403,
    ],
    [
      '@room with another truth',
      ['send'],
      'PUT',
      send('m.room.message'),
      JSON.stringify({ ...hello, 'm.mentions': { room: 1 } }),
      403,
    ],
    [
      '@room as older clients write it',
      ['send'],
      'PUT',
      send('m.room.message'),
      JSON.stringify({ ...hello, body: 'hey @ROOM' }),
      403,
    ],
    ['plaintext into an encrypted room', ['send'], 'PUT', send('m.room.message', DEV), HELLO, 403],
    ['redaction without the capability', ['send'], 'PUT', redact('$own'), '{}', 403],
    ['redaction of others’ with `redact` alone', ['redact'], 'PUT', redact('$bobs'), '{}', 403],
    ['redaction of own with `redact-others` alone', ['redact-others'], 'PUT', redact('$own'), '{}', 403],
    [
      'redaction of an event of another room',
      ['redact', 'redact-others'],
      'PUT',
      redact('$elsewhere'),
      '{}',
      403,
    ],
    ['redaction of no event', ['redact', 'redact-others'], 'PUT', redact('$gone'), '{}', 403],
    ['redaction of state', ['redact', 'redact-others'], 'PUT', redact('$name'), '{}', 403],
    [
      'a delayed event',
      ['send'],
      'PUT',
      `${send('m.room.message')}?org.matrix.msc4140.delay=1000`,
      HELLO,
      400,
    ],
    [
      'a delayed event with a parent',
      ['send'],
      'PUT',
      `${send('m.room.message')}?org.matrix.msc4140.parent_delay_id=x`,
      HELLO,
      400,
    ],
    ['an event of the past', ['send'], 'PUT', `${send('m.room.message')}?ts=1`, HELLO, 400],
    ['another sender', ['send'], 'PUT', `${send('m.room.message')}?user_id=@bob:hs.test`, HELLO, 400],
    ['a parameter with a redaction', ['redact'], 'PUT', `${redact('$own')}?x=y`, '{}', 400],
    [
      'a key twice',
      ['send'],
      'PUT',
      send('m.room.message'),
      '{"msgtype":"m.text","msgtype":"m.key.verification.request","body":"x"}',
      400,
    ],
    [
      'a key twice, once escaped',
      ['send'],
      'PUT',
      send('m.room.message'),
      '{"m.relates_to":{},"m\\u002erelates_to":{"rel_type":"m.replace"}}',
      400,
    ],
    ['no JSON', ['send'], 'PUT', send('m.room.message'), 'hello', 400],
    ['a list', ['send'], 'PUT', send('m.room.message'), '[]', 400],
    ['null', ['send'], 'PUT', send('m.room.message'), 'null', 400],
    [
      'an event too large for a room',
      ['send'],
      'PUT',
      send('m.room.message'),
      JSON.stringify({ body: 'x'.repeat(64_001) }),
      413,
    ],
    [
      'a body too large for the gateway',
      ['send'],
      'PUT',
      send('m.room.message'),
      JSON.stringify({ body: 'x'.repeat(300_000) }),
      413,
    ],
    ['a transaction id too long', ['send'], 'PUT', send('m.room.message', OPS, 'x'.repeat(256)), HELLO, 400],
    ['another method', ['send'], 'DELETE', send('m.room.message'), HELLO, 405],
    ['POST with a transaction id', ['send'], 'POST', send('m.room.message'), HELLO, 405],
    ['a suffix', ['send'], 'PUT', `${send('m.room.message')}/x`, HELLO, 404],
  ])('%s', async (_, can, method, path, body, status) => {
    await using s = await writingStage(can as never);
    // As a homeserver that shows any event through any room.
    if (path.includes('elsewhere') || body.includes('elsewhere')) answerAsRoom(s.homeserver, true);
    expect((await s.ask(method, path, { body })).status).toBe(status);
    expect(writesAt(s.homeserver)).toEqual([]);
    // What was looked up was looked up in scope.
    for (const { path: asked } of s.homeserver.seen)
      expect(asked).toMatch(/^\/_matrix\/client\/v3\/rooms\/(?:!ops%3Ahs\.test|!_dDn1kut)/);
  });

  test('types narrow what may be sent, whatever else is held', async () => {
    await using s = await writingStage(EVERYTHING, { scope: { types: ['m.room.message'] } });
    expect((await s.ask('PUT', send('m.sticker'), { body: '{}' })).status).toBe(403);
    expect((await s.ask('PUT', send('m.reaction'), { body: reaction('$own') })).status).toBe(403);
    expect((await s.ask('PUT', send('m.room.message'), { body: HELLO })).status).toBe(200);
  });

  test('refusals of rooms out of scope, and of events that are elsewhere or nowhere, are the same word for word', async () => {
    await using s = await writingStage(EVERYTHING);
    const got = await Promise.all([
      s.ask('PUT', send('m.room.message', SECRET), { body: HELLO }),
      s.ask('PUT', send('m.room.message', '!nowhere:hs.test'), { body: HELLO }),
      s.ask('PUT', send('m.reaction'), { body: reaction('$elsewhere') }),
      s.ask('PUT', send('m.reaction'), { body: reaction('$gone') }),
      s.ask('PUT', redact('$elsewhere'), { body: '{}' }),
      s.ask('PUT', redact('$gone'), { body: '{}' }),
    ]);
    expect(new Set(got.map(({ status, body }) => JSON.stringify([status, body]))).size).toBe(1);
  });

  test('the notice: its room is outside every scope, whoever the sender is', async () => {
    await using s = await writingStage(EVERYTHING, { rooms: 'all', joined: [OPS], scope: { rooms: 'all' } });
    expect((await s.ask('PUT', redact('$notice', '!dm:hs.test'), { body: '{}' })).status).toBe(403);
    expect((await s.ask('PUT', send('m.room.message', '!dm:hs.test'), { body: HELLO })).status).toBe(403);
    expect(s.homeserver.seen).toEqual([]);
  });
});

describe('whether a room is encrypted', () => {
  test.each<[string, number, string]>([
    ['forbids to look', 403, '{"errcode":"M_FORBIDDEN"}'],
    ['is in trouble', 500, '{"errcode":"M_UNKNOWN"}'],
    ['has no such path', 404, '{"errcode":"M_UNRECOGNIZED"}'],
    ['stands behind a proxy that does not find it', 404, 'not found'],
    ['says something else', 418, '{}'],
  ])('is not taken for granted where the homeserver %s', async (_, status, body) => {
    await using s = await writingStage(['send']);
    s.homeserver.answer(
      (__, response) => void response.writeHead(status, { 'content-type': 'application/json' }).end(body),
    );
    const got = await s.ask('PUT', send('m.room.message'), { body: HELLO });
    expect(got.status).toBeGreaterThanOrEqual(403);
    expect(writesAt(s.homeserver)).toEqual([]);
  });

  test('is remembered once it is', async () => {
    await using s = await writingStage(['send']);
    expect((await s.ask('PUT', send('m.room.message', DEV), { body: HELLO })).status).toBe(403);
    s.homeserver.answer(
      (_, response) =>
        void response.writeHead(404, { 'content-type': 'application/json' }).end('{"errcode":"M_NOT_FOUND"}'),
    );
    expect((await s.ask('PUT', send('m.room.message', DEV, 't2'), { body: HELLO })).status).toBe(403);
    expect(writesAt(s.homeserver)).toEqual([]);
  });
});

test('a holder writes five times at once, then is told to wait; retries of what was sent cost nothing', async () => {
  await using s = await writingStage(['send'], { limits: {} });
  const statuses: number[] = [];
  for (let i = 0; i < 6; i++)
    statuses.push((await s.ask('PUT', send('m.room.message', OPS, `t${i}`), { body: HELLO })).status);
  expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
  const waiting = await s.ask('PUT', send('m.room.message', OPS, 't5'), { body: HELLO });
  expect(waiting.body).toMatchObject({ errcode: 'M_LIMIT_EXCEEDED' });
  expect(Number(waiting.body['retry_after_ms'])).toBeGreaterThan(5_000);
  expect(Number(waiting.body['retry_after_ms'])).toBeLessThanOrEqual(10_000);
  expect((await s.ask('PUT', send('m.room.message', OPS, 't0'), { body: HELLO })).body).toEqual({
    event_id: '$sent1',
  });
  expect(writesAt(s.homeserver)).toHaveLength(5);
});

test('a token that ends while the room is looked at sends nothing', async () => {
  await using s = await writingStage(['send']);
  const access = s.desk.verifyToken('mwt_7F3K9Q_thisIsTheScopedToken');
  s.homeserver.answer(({ path }, response) => {
    if (!path.includes('m.room.encryption')) return { event_id: '$x' };
    if ('access' in access) s.desk.end(access.access.grant.id);
    return void response
      .writeHead(404, { 'content-type': 'application/json' })
      .end('{"errcode":"M_NOT_FOUND"}');
  });
  expect((await s.ask('PUT', send('m.room.message'), { body: HELLO })).status).toBe(401);
  await settled();
  expect(writesAt(s.homeserver)).toEqual([]);
});

test.each(['the room is looked at', 'its lease is made'])(
  'a room that leaves the scope while %s is not written to, and the transaction id stays free',
  async (moment) => {
    await using s = await writingStage(['send']);
    const verified = s.desk.verifyToken('mwt_7F3K9Q_thisIsTheScopedToken');
    if (!('access' in verified)) throw new Error('the token is not valid');
    const rooms = verified.access.rooms as Set<RoomId>;
    const lease = s.desk.upstreamToken('7F3K9Q' as GrantId);
    if (moment === 'its lease is made')
      s.desk.upstreamToken = () => {
        if (s.homeserver.seen.length > 0) rooms.delete(OPS);
        return lease;
      };
    else
      s.homeserver.answer((_, response) => {
        rooms.delete(OPS);
        return void response
          .writeHead(404, { 'content-type': 'application/json' })
          .end('{"errcode":"M_NOT_FOUND"}');
      });
    expect((await s.ask('PUT', send('m.room.message'), { body: HELLO })).status).toBe(403);
    await settled();
    expect(writesAt(s.homeserver)).toEqual([]);
    rooms.add(OPS);
    s.desk.upstreamToken = () => lease;
    answerAsRoom(s.homeserver);
    expect((await s.ask('PUT', send('m.room.message'), { body: HELLO })).status).toBe(200);
    expect(writesAt(s.homeserver)).toHaveLength(1);
  },
);

test('a token that ends while another lease is made for its write sends nothing with that', async () => {
  await using s = await writingStage(['send']);
  const access = s.desk.verifyToken('mwt_7F3K9Q_thisIsTheScopedToken');
  s.desk.renewal = { leaseId: 'lease-2' as never, token: 'syt_renewed' };
  s.homeserver.answer(({ method }, response) => {
    if (method === 'PUT') {
      if ('access' in access) s.desk.end(access.access.grant.id);
      return void response
        .writeHead(401, { 'content-type': 'application/json' })
        .end('{"errcode":"M_UNKNOWN_TOKEN"}');
    }
    return void response
      .writeHead(404, { 'content-type': 'application/json' })
      .end('{"errcode":"M_NOT_FOUND"}');
  });
  expect((await s.ask('PUT', send('m.room.message'), { body: HELLO })).status).toBe(401);
  await settled();
  expect(s.desk.refused).toEqual(['lease-1']);
  expect(writesAt(s.homeserver)).toHaveLength(1);
});

test('what is introspected says which types', async () => {
  await using s = await writingStage(['send'], { scope: { types: ['m.room.message'] } });
  const got = await s.ask('GET', '/_mintwarden/v1/token');
  expect(got.body).toMatchObject({ user_id: ALICE, scope: { can: ['send'], types: ['m.room.message'] } });
});
