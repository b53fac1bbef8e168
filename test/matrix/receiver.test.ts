import { expect, test } from 'vitest';
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
function receiver(onEvent: (event: ChatEvent) => Promise<void>): Receiver {
  const nothing = undefined as never;
  return createReceiver({
    engine: nothing,
    homeserver: nothing,
    botId: '@bot:x',
    isWatched: async (roomId) => roomId === ROOM,
    onEvent,
    log: silentLog,
    now: () => NOW,
  });
}

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
