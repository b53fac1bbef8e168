import { expect, test, vi } from 'vitest';
import type { RoomId } from '../../src/domain/ids.ts';
import { unreachable } from '../../src/matrix/homeserver-errors.ts';
import type { HomeserverClient, JsonObject } from '../../src/matrix/homeserver.ts';
import { startInvitations } from '../../src/matrix/invitations.ts';
import { silentLog } from '../support/silent-log.ts';

const BOT = '@bot:x';
const CONTROL = '!control:x' as RoomId;

/** A sync answer with invitations by these users; null: an invitation that does not say by whom. */
function invited(byRoom: Readonly<Record<string, string | null>>): JsonObject {
  const invite = Object.fromEntries(
    Object.entries(byRoom).map(([roomId, sender]) => {
      const name = { type: 'm.room.name', state_key: '', sender, content: { name: 'Official' } };
      const member = { type: 'm.room.member', state_key: BOT, sender, content: { membership: 'invite' } };
      return [roomId, { invite_state: { events: sender === null ? [name] : [name, member] } }];
    }),
  );
  return { rooms: { invite } };
}

function stage(request: (path: string) => Promise<void> = async () => undefined) {
  const asked: string[] = [];
  const pauses = { count: 0 };
  const info = vi.fn();
  const invitations = startInvitations({
    homeserver: {
      request: async (_: string, path: string) => {
        asked.push(decodeURIComponent(path.replace('/_matrix/client/v3/rooms/', '')));
        await request(path);
        return {};
      },
    } as unknown as HomeserverClient,
    botId: BOT,
    controlRoomId: CONTROL,
    isAdmin: (userId) => userId === '@admin:x',
    log: { ...silentLog, info },
    elapsedMs: () => 0,
    pause: async () => void pauses.count++,
  });
  return { invitations, asked, info, pauses };
}

test('invitations by strangers are refused and forgotten; the control room’s, and administrators’, are not', async () => {
  const { invitations, asked } = stage();
  invitations.note(invited({ '!a:x': '@eve:x', [CONTROL]: '@eve:x', '!next:x': '@admin:x', '!b:x': null }));
  await vi.waitFor(() => expect(asked).toHaveLength(4));
  await invitations.stop();
  expect(asked).toEqual(['!a:x/leave', '!a:x/forget', '!b:x/leave', '!b:x/forget']);
});

test('a flood is bounded work, with a pause after each and one line in the log', async () => {
  const { invitations, asked, info, pauses } = stage();
  const rooms = Array.from({ length: 5_000 }, (_, index) => [`!${String(index)}:x`, '@eve:x'] as const);
  invitations.note(invited(Object.fromEntries(rooms)));
  invitations.note(invited(Object.fromEntries(rooms)));
  await vi.waitFor(() => expect(pauses.count).toBe(1_000));
  expect(asked).toHaveLength(2_000);
  expect(info).toHaveBeenCalledTimes(1);
  await invitations.stop();
});

test('one that cannot be refused does not keep it from the others, and nothing is asked once it is stopped', async () => {
  const { invitations, asked } = stage(async (path) => {
    if (path.includes('a%3Ax')) throw unreachable('gone');
  });
  invitations.note(invited({ '!a:x': '@eve:x', '!b:x': '@eve:x' }));
  await vi.waitFor(() => expect(asked).toEqual(['!a:x/leave', '!b:x/leave', '!b:x/forget']));
  await invitations.stop();
  invitations.note(invited({ '!c:x': '@eve:x' }));
  await invitations.stop();
  expect(asked).toHaveLength(3);
});

test('what is no invitation is passed over', async () => {
  const { invitations, asked } = stage();
  for (const answer of [{}, { rooms: 5 }, { rooms: { invite: [] } }, { rooms: { invite: { nonsense: {} } } }])
    invitations.note(answer);
  await invitations.stop();
  expect(asked).toEqual([]);
});
