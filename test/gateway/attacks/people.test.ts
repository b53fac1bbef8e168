import { describe, expect, test } from 'vitest';
import { ALICE, OPS, SECRET } from '../support/grants.ts';
import { BOB, changesAt, me, personalStage, STRANGER, V3 } from '../support/personal-homeserver.ts';

const field = (name: string, user = me) => `${V3}/profile/${user}/${name}`;
const presence = (user: string) => `${V3}/presence/${user}/status`;
const OTHERS = [
  encodeURIComponent(BOB),
  BOB,
  STRANGER,
  '@ALICE:hs.test',
  '@alice:hs.test.evil',
  '@alice:HS.TEST',
  `${me}%20`,
];

describe('profile', () => {
  test('a change that was asked for without telling the rooms is refused, not made wider', async () => {
    await using s = await personalStage(['profile']);
    for (const query of ['propagate=false', 'org.matrix.msc4069.propagate=false', 'propagate_to=none', 'x=1'])
      for (const [method, name, body] of [
        ['PUT', 'displayname', '{"displayname":"Al"}'],
        ['PUT', 'avatar_url', '{"avatar_url":"mxc://hs.test/abc"}'],
        ['DELETE', 'displayname', undefined],
      ] as const) {
        const got = await s.ask(method, `${field(name)}?${query}`, body === undefined ? {} : { body });
        expect([query, method, got.status, got.body['errcode']]).toEqual([
          query,
          method,
          400,
          'M_INVALID_PARAM',
        ]);
      }
    expect(s.homeserver.seen).toEqual([]);
  });

  test('the subject’s own name, picture and time zone, nothing else of the body or the query', async () => {
    await using s = await personalStage(['profile']);
    await s.ask('PUT', field('displayname'), {
      body: '{"displayname":"Al","avatar_url":"mxc://hs.test/x"}',
    });
    await s.ask('PUT', field('avatar_url'), { body: '{"avatar_url":"mxc://hs.test/abc"}' });
    await s.ask('PUT', `/_matrix/client/unstable/uk.tcpip.msc4133/profile/${me}/m.tz`, {
      body: '{"m.tz":"Europe/Berlin"}',
    });
    await s.ask('DELETE', field('m.tz'));
    expect(changesAt(s)).toEqual([
      { method: 'PUT', path: `${V3}/profile/${ALICE}/displayname`, query: '', body: { displayname: 'Al' } },
      {
        method: 'PUT',
        path: `${V3}/profile/${ALICE}/avatar_url`,
        query: '',
        body: { avatar_url: 'mxc://hs.test/abc' },
      },
      { method: 'PUT', path: `${V3}/profile/${ALICE}/m.tz`, query: '', body: { 'm.tz': 'Europe/Berlin' } },
      { method: 'DELETE', path: `${V3}/profile/${ALICE}/m.tz`, query: '', body: null },
    ]);
  });

  test('of others is refused, in whatever spelling, and so is everything without the capability', async () => {
    await using s = await personalStage(['read', 'profile']);
    await using bare = await personalStage(['read', 'presence', 'directory', 'state']);
    for (const method of ['PUT', 'DELETE']) {
      const body = '{"displayname":"x"}';
      for (const user of OTHERS)
        expect([user, (await s.ask(method, field('displayname', user), { body })).status]).toEqual([
          user,
          403,
        ]);
      expect((await s.ask(method, field('displayname', `${me}%00`), { body })).status).toBe(400);
      expect(
        (await bare.ask(method, field('displayname'), { body })).headers.get('www-authenticate'),
      ).toContain('profile');
    }
    expect([...s.homeserver.seen, ...bare.homeserver.seen]).toEqual([]);
  });

  test.each([
    ['displayname', '{"displayname":5}', 400],
    ['displayname', `{"displayname":"${'x'.repeat(300)}"}`, 400],
    ['displayname', '{"displayname":"a\\u0000b"}', 400],
    ['displayname', '{"displayname":"a","displayname":"b"}', 400],
    ['avatar_url', '{"avatar_url":"https://evil.test/track.png"}', 400],
    ['avatar_url', '{"avatar_url":"mxc://hs.test/../x"}', 400],
    ['avatar_url', '{"avatar_url":"mxc://hs.test/a/b"}', 400],
    ['m.tz', '{"m.tz":"<b>"}', 400],
    ['m.example', '{"m.example":"x"}', 404],
    ['constructor', '{"constructor":"x"}', 404],
    ['Displayname', '{"Displayname":"x"}', 404],
    ['displayname%20', '{"displayname ":"x"}', 404],
  ])('%s %s is not set', async (name, body, status) => {
    await using s = await personalStage(['profile']);
    expect((await s.ask('PUT', field(name), { body })).status).toBe(status);
    expect(s.homeserver.seen).toEqual([]);
  });
});

describe('presence', () => {
  test('is shown of oneself and of members of rooms in scope', async () => {
    await using s = await personalStage(['presence']);
    const shown = { presence: 'online', status_msg: 'here', last_active_ago: 5, currently_active: true };
    expect((await s.ask('GET', presence(me))).body).toEqual(shown);
    expect((await s.ask('GET', presence(encodeURIComponent(BOB)))).body).toEqual(shown);
  });

  test('of strangers is not asked for, whether there are any or not', async () => {
    await using s = await personalStage(['presence']);
    const told = [];
    for (const user of [STRANGER, '@nobody:hs.test', '@ALICE:hs.test', 'bob', '!ops:hs.test'])
      told.push(await s.ask('GET', presence(encodeURIComponent(user))));
    for (const { status, body } of told) expect([status, body]).toEqual([403, told[0]?.body]);
    expect(s.homeserver.seen.filter(({ path }) => path.includes('/presence/'))).toEqual([]);
  });

  test('is set for the subject alone', async () => {
    await using s = await personalStage(['presence']);
    expect(
      (
        await s.ask('PUT', presence(me), {
          body: '{"presence":"unavailable","status_msg":"out","currently_active":true}',
        })
      ).status,
    ).toBe(200);
    for (const user of OTHERS)
      expect((await s.ask('PUT', presence(user), { body: '{"presence":"online"}' })).status).toBe(403);
    for (const body of [
      '{"presence":"busy"}',
      '{}',
      '[]',
      `{"presence":"online","status_msg":"${'x'.repeat(300)}"}`,
    ]) {
      expect((await s.ask('PUT', presence(me), { body })).status).toBe(400);
    }
    expect(changesAt(s)).toEqual([
      {
        method: 'PUT',
        path: `${V3}/presence/${ALICE}/status`,
        query: '',
        body: { presence: 'unavailable', status_msg: 'out' },
      },
    ]);
  });

  test('is refused without the capability, for oneself too', async () => {
    await using s = await personalStage(['read', 'profile', 'typing']);
    for (const method of ['GET', 'PUT']) {
      const { headers } = await s.ask(
        method,
        presence(me),
        method === 'PUT' ? { body: '{"presence":"online"}' } : {},
      );
      expect(headers.get('www-authenticate')).toContain('presence');
    }
    expect(s.homeserver.seen).toEqual([]);
  });

  test.each([
    [['read'], 'online', 'offline'],
    [['read', 'presence'], 'online', 'online'],
    [['read', 'presence'], null, 'offline'],
    [['read', 'presence'], 'busy', null],
  ] as const)('a sync with %j that says %s is asked as %s', async (can, said, asked) => {
    await using s = await personalStage(can);
    s.homeserver.answer(() => ({ next_batch: 's1' }));
    const { status } = await s.ask('GET', `${V3}/sync${said === null ? '' : `?set_presence=${said}`}`);
    expect([status, s.homeserver.seen[0]?.query.get('set_presence') ?? null]).toEqual([
      asked === null ? 400 : 200,
      asked,
    ]);
  });
});

describe('the directories', () => {
  const alias = `${V3}/directory/room/${encodeURIComponent('#public:hs.test')}`;

  test('show what any account sees, rebuilt', async () => {
    await using s = await personalStage(['directory']);
    const list = { chunk: [{ room_id: SECRET, name: 'Public', num_joined_members: 3 }], next_batch: 'n' };
    expect((await s.ask('GET', `${V3}/publicRooms?limit=5000&since=p1&server=other.test&x=1`)).body).toEqual(
      list,
    );
    const body =
      '{"limit":3,"filter":{"generic_search_term":"pub","room_types":["m.space",null],"x":1},"include_all_networks":true,"third_party_instance_id":"irc"}';
    expect((await s.ask('POST', `${V3}/publicRooms`, { body })).body).toEqual(list);
    expect(
      (await s.ask('POST', `${V3}/user_directory/search`, { body: '{"search_term":"s","limit":1000,"x":1}' }))
        .body,
    ).toEqual({
      limited: false,
      results: [{ user_id: STRANGER, display_name: 'S' }],
    });
    expect((await s.ask('GET', alias)).body).toEqual({ room_id: SECRET, servers: ['hs.test'] });
    expect(
      s.homeserver.seen.map(({ method, url, body: sent }) => [
        method,
        decodeURIComponent(url),
        sent === '' ? null : (JSON.parse(sent) as unknown),
      ]),
    ).toEqual([
      ['GET', `${V3}/publicRooms?server=other.test&limit=100&since=p1`, null],
      [
        'POST',
        `${V3}/publicRooms`,
        { limit: 3, filter: { generic_search_term: 'pub', room_types: ['m.space', null] } },
      ],
      ['POST', `${V3}/user_directory/search`, { search_term: 's', limit: 100 }],
      ['GET', `${V3}/directory/room/#public:hs.test`, null],
    ]);
  });

  test('without the capability: no list, no people, and no name of a room outside the scope', async () => {
    await using s = await personalStage(['read', 'profile', 'presence']);
    for (const [method, path] of [
      ['GET', 'publicRooms'],
      ['POST', 'publicRooms'],
      ['POST', 'user_directory/search'],
    ] as const) {
      const { headers } = await s.ask(
        method,
        `${V3}/${path}`,
        method === 'POST' ? { body: '{"search_term":"x"}' } : {},
      );
      expect(headers.get('www-authenticate')).toContain('directory');
    }
    expect(s.homeserver.seen).toEqual([]);
    const { status, body } = await s.ask('GET', alias);
    expect([status, JSON.stringify(body).includes('secret')]).toEqual([404, false]);
  });

  test('are changed by nobody', async () => {
    await using s = await personalStage(['read', 'directory', 'profile']);
    const listed = `${V3}/directory/list/room/${encodeURIComponent(OPS)}`;
    for (const [method, path] of [
      ['PUT', alias],
      ['DELETE', alias],
      ['PUT', listed],
    ] as const) {
      expect(
        (await s.ask(method, path, { body: '{"room_id":"!ops:hs.test","visibility":"public"}' })).status,
      ).toBe(403);
    }
    expect((await s.ask('GET', `${V3}/directory/list/room/${encodeURIComponent(SECRET)}`)).status).toBe(403);
    expect((await s.ask('GET', `${V3}/thirdparty/protocols`)).status).toBe(404);
    expect(s.homeserver.seen).toEqual([]);
  });

  test.each([
    ['GET', 'publicRooms?server=evil.test/x', undefined],
    ['GET', 'publicRooms?server=%40x', undefined],
    ['GET', 'publicRooms?limit=-1', undefined],
    ['GET', 'publicRooms?since=!x:y', undefined],
    ['POST', 'publicRooms', '{"filter":[]}'],
    ['POST', 'publicRooms', '{"filter":{"generic_search_term":{"x":1}}}'],
    ['POST', 'publicRooms', '{"filter":{"room_types":"m.space"}}'],
    ['POST', 'publicRooms', '[]'],
    ['POST', 'user_directory/search', '{"search_term":["x"]}'],
    ['POST', 'user_directory/search', '{}'],
  ])('%s %s %s is not understood', async (method, path, body) => {
    await using s = await personalStage(['directory']);
    expect((await s.ask(method, `${V3}/${path}`, body === undefined ? {} : { body })).status).toBe(400);
    expect(s.homeserver.seen).toEqual([]);
  });
});
