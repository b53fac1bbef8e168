import { expect, test } from 'vitest';
import { MintwardenError } from '../../src/domain/errors.ts';
import type { RoomId } from '../../src/domain/ids.ts';
import { parseEvent } from '../../src/matrix/events.ts';
import { createReceiver, type Receiver } from '../../src/matrix/receiver.ts';
import type { ChatEvent } from '../../src/ports/chat.ts';
import { silentLog } from '../support/silent-log.ts';

const ROOM = '!control' as RoomId;
const NOW = 1_000_000_000;

function event(id: string, content: object, more: object = {}) {
  const parsed = parseEvent({
    event_id: id,
    type: 'm.room.message',
    sender: '@a:x',
    origin_server_ts: NOW,
    content,
    ...more,
  });
  if (parsed === null) throw new Error('no event');
  return parsed;
}

/** Plaintext needs neither engine nor homeserver. */
function receiver(
  onEvent: (event: ChatEvent) => Promise<void>,
  more: { elapsedMs?: () => number; isAdmin?: (userId: string) => boolean } = {},
): Receiver {
  const nothing = undefined as never;
  return createReceiver({
    engine: nothing,
    homeserver: nothing,
    botId: '@bot:x',
    isWatched: async (roomId) => roomId === ROOM,
    onEvent,
    isAdmin: () => false,
    elapsedMs: () => 0,
    log: silentLog,
    now: () => NOW,
    ...more,
  });
}

const text = (id: string, more: object = {}) => event(id, { msgtype: 'm.text', body: id }, more);

test('a flood of texts by one person is left out, and each of it told so that it can be said; admins are heard', async () => {
  const heard = new Map<string, string[]>();
  const hear = async (each: ChatEvent): Promise<void> => {
    const sender =
      each.kind === 'message' ? each.message.sender : each.kind === 'left-out' ? each.sender : '';
    heard.set(`${sender} ${each.kind}`, [...(heard.get(`${sender} ${each.kind}`) ?? []), each.kind]);
  };
  let elapsed = 0;
  const paced = receiver(hear, { elapsedMs: () => elapsed, isAdmin: (userId) => userId === '@admin:x' });
  const write = async (sender: string, count: number): Promise<void> => {
    for (let index = 0; index < count; index++)
      await paced.receive(ROOM, text(`$${sender}-${elapsed}-${index}`, { sender }));
  };
  await write('@eve:x', 100);
  await write('@a:x', 5);
  await write('@admin:x', 100);
  const counts = (): Record<string, number> =>
    Object.fromEntries([...heard].map(([name, all]) => [name, all.length]));
  expect(counts()).toEqual({
    '@eve:x message': 30,
    '@eve:x left-out': 70,
    '@a:x message': 5,
    '@admin:x message': 100,
  });
  elapsed = 10_000;
  await write('@eve:x', 10);
  expect(counts()).toMatchObject({ '@eve:x message': 35, '@eve:x left-out': 75 });
});

test('what comes again because it could not be taken is not counted again', async () => {
  let isAway = true;
  const heard: string[] = [];
  const away = receiver(async (each) => {
    if (isAway) throw new MintwardenError('homeserver-unreachable', 'Away.', '');
    heard.push(each.kind);
  });
  for (let attempt = 0; attempt < 19; attempt++) {
    await expect(away.receive(ROOM, text('$1'))).rejects.toThrow('Away');
    await expect(away.receive(ROOM, text('$2'))).rejects.toThrow('Away');
  }
  isAway = false;
  for (const id of ['$1', '$2']) await away.receive(ROOM, text(id));
  expect(heard).toEqual(['message', 'message']);
});

test('what its handler cannot take comes again, but not for ever', async () => {
  let calls = 0;
  const poisoned = receiver(async () => {
    calls++;
    throw new Error('full disk');
  });
  const poison = event('$p', { msgtype: 'm.text', body: 'x' });
  for (let attempt = 1; attempt < 5; attempt++)
    await expect(poisoned.receive(ROOM, poison)).rejects.toThrow('full disk');
  await expect(poisoned.receive(ROOM, poison)).resolves.toBeUndefined();
  expect(calls).toBe(5);
});

test.each([
  ['its own words', ROOM, event('$1', { msgtype: 'm.text', body: 'x' }, { sender: '@bot:x' })],
  ['old news', ROOM, event('$2', { msgtype: 'm.text', body: 'x' }, { origin_server_ts: NOW - 600_001 })],
  ['other rooms', '!other' as RoomId, event('$3', { msgtype: 'm.text', body: 'x' })],
  [
    'a state event that looks like a message',
    ROOM,
    event('$4', { msgtype: 'm.text', body: 'x' }, { state_key: '' }),
  ],
  [
    'a member without an id',
    ROOM,
    event('$5', { membership: 'join' }, { type: 'm.room.member', state_key: 'nobody' }),
  ],
])('%s are not heard', async (_name, roomId, given) => {
  const heard: ChatEvent[] = [];
  await receiver(async (news) => void heard.push(news)).receive(roomId, given);
  expect(heard).toEqual([]);
});

test('a member’s comings and goings are told, also old ones', async () => {
  const heard: ChatEvent[] = [];
  const more = { type: 'm.room.member', state_key: '@a:x', origin_server_ts: 1 };
  await receiver(async (news) => void heard.push(news)).receive(
    ROOM,
    event('$m', { membership: 'join' }, more),
  );
  expect(heard).toEqual([{ kind: 'membership', roomId: ROOM, userId: '@a:x', membership: 'join' }]);
});
