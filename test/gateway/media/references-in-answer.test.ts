import { describe, expect, test } from 'vitest';
import { accessOf, ALICE, OPS, SECRET } from '../support/grants.ts';
import { answerWithFiles, download, filesAsked, mediaStage } from '../support/media-room.ts';
import { TOKEN } from '../support/stage.ts';

const V3 = '/_matrix/client/v3';
const inRoom = (below: string, version = 'v3') =>
  `/_matrix/client/${version}/rooms/${encodeURIComponent(OPS)}/${below}`;
const BOB = '@bob:hs.test';
const KNOWN = 'mxc://hs.test/known';
const picture = {
  event_id: '$1',
  room_id: OPS,
  sender: BOB,
  type: 'm.room.message',
  origin_server_ts: Date.now(),
  content: { url: KNOWN },
};
const text = { ...picture, event_id: '$2', content: { body: 'x' } };
const filler = Array.from({ length: 1_000 }, (_, at) => ({
  ...text,
  event_id: `$f${at}`,
  content: { body: 'x'.repeat(100) },
}));
const around = (event: unknown) => ({ rooms: { join: { [OPS]: { timeline: { events: [event] } } } } });

/** What each answer holds one event in; each twice, small and large enough to be read in another thread. */
const ANSWERS: readonly (readonly [
  path: string,
  body: (event: unknown, more: readonly unknown[]) => unknown,
])[] = [
  [
    `${V3}/sync`,
    (event, more) => ({
      next_batch: 's1',
      rooms: { join: { [OPS]: { timeline: { events: [event, ...more] } } } },
    }),
  ],
  [
    `${V3}/sync?full_state=true`,
    (event, more) => ({
      next_batch: 's1',
      rooms: { join: { [OPS]: { state: { events: [...more, event] } } } },
    }),
  ],
  [inRoom('messages?dir=b'), (event, more) => ({ start: 's', chunk: [...more, event] })],
  [inRoom('state'), (event, more) => [...more, event]],
  [
    inRoom('context/$2'),
    (event, more) => ({ event: text, events_before: [...more], events_after: [event], state: [] }),
  ],
  [inRoom('relations/$2', 'v1'), (event, more) => ({ chunk: [...more, event] })],
  [
    inRoom('threads', 'v1'),
    (event, more) => ({
      chunk: [{ ...text, unsigned: { 'm.relations': { 'm.thread': { latest_event: event } } } }, ...more],
    }),
  ],
  [
    inRoom('messages?dir=f'),
    (event, more) => ({
      start: 's',
      chunk: [{ ...text, unsigned: { 'm.relations': { 'm.replace': event } } }, ...more],
    }),
  ],
];

describe.each(ANSWERS)('%s', (path, body) => {
  test.each([
    ['small', []],
    ['large', filler],
  ])('shows what it shows, and not what is the holder’s own or another room’s (%s)', async (_, more) => {
    await using s = await mediaStage([]);
    for (const [event, status] of [
      [{ ...picture, sender: ALICE }, 403],
      [{ ...picture, room_id: SECRET }, 403],
      [picture, 200],
    ] as const) {
      s.homeserver.answer(() => body(event, more));
      expect((await s.ask('GET', path)).status).toBe(200);
      const asked = s.homeserver.seen.length;
      // Nothing to be found by looking: what was shown is all there is.
      answerWithFiles(s, []);
      expect([event, (await download(s, KNOWN)).status]).toEqual([event, status]);
      expect(filesAsked(s)).toHaveLength(status === 200 ? 1 : 0);
      if (status === 200) expect(s.homeserver.seen).toHaveLength(asked + 1);
    }
  });
});

test('members’ pictures, of others than the subject', async () => {
  await using s = await mediaStage([]);
  s.homeserver.answer(() => ({
    joined: { [BOB]: { avatar_url: KNOWN }, [ALICE]: { avatar_url: 'mxc://hs.test/mine' } },
  }));
  await s.ask('GET', inRoom('joined_members'));
  answerWithFiles(s, []);
  expect((await download(s, KNOWN)).status).toBe(200);
  expect((await download(s, 'mxc://hs.test/mine')).status).toBe(403);
});

test('without `media` nothing is remembered', async () => {
  await using s = await mediaStage([], ['send']);
  s.homeserver.answer(() => ({ next_batch: 's1', ...around(picture) }));
  await s.ask('GET', `${V3}/sync`);
  expect((await download(s, KNOWN)).status).toBe(403);
});

test('sliding sync, for tokens with a device', async () => {
  await using s = await mediaStage([]);
  s.desk.add(TOKEN, { ...accessOf([OPS]), device: true });
  const body = JSON.stringify({
    room_subscriptions: { [OPS]: { timeline_limit: 5, required_state: [['m.room.avatar', '']] } },
  });
  const sliding = async (event: unknown, part: string) => {
    s.homeserver.answer(() => ({
      pos: '1',
      rooms: { [OPS]: { timeline: [], required_state: [], [part]: [event] } },
      lists: {},
      extensions: {},
    }));
    expect(
      (await s.ask('POST', '/_matrix/client/unstable/org.matrix.simplified_msc3575/sync', { body })).status,
    ).toBe(200);
    answerWithFiles(s, []);
    return (await download(s, KNOWN)).status;
  };
  expect(await sliding({ ...picture, room_id: undefined, sender: ALICE }, 'timeline')).toBe(403);
  const avatar = { ...picture, room_id: undefined, type: 'm.room.avatar', state_key: '' };
  expect(await sliding(avatar, 'required_state')).toBe(200);
});
