import { LOBBY, OPS } from '../../lifecycle/support/homeserver.ts';

const CLIENT = '/_matrix/client/v3';

/** Passed on with the least that is done to any answer: read, its type looked at, written. */
export const STATE_PATH = `${CLIENT}/rooms/${encodeURIComponent(OPS)}/state/m.room.topic`;
export const MESSAGES_PATH = `${CLIENT}/rooms/${encodeURIComponent(OPS)}/messages`;
export const LONG_MESSAGES_PATH = `${CLIENT}/rooms/${encodeURIComponent(LOBBY)}/messages`;
export const SYNC_PATH = `${CLIENT}/sync`;
export const HIERARCHY_PATH = `/_matrix/client/v1/rooms/${encodeURIComponent(OPS)}/hierarchy`;

const SMALL_BYTES = 800;
const SYNC_BYTES = 15_000_000;
const SYNC_ROOMS = 300;

/** The rooms of the large `/sync`, and so of its subject. */
export const ROOMS = [
  OPS,
  LOBBY,
  ...Array.from({ length: SYNC_ROOMS - 2 }, (_, at) => `!room${String(at)}:example.org`),
];

/** The upstream's answers, by path. */
export const ANSWERS: Readonly<Record<string, () => string>> = {
  [STATE_PATH]: () => padded((topic) => JSON.stringify({ topic })),
  [MESSAGES_PATH]: () => page(OPS, 2),
  [LONG_MESSAGES_PATH]: () => page(LOBBY, 9),
  [SYNC_PATH]: largeSync,
};

function padded(make: (filler: string) => string): string {
  return make('x'.repeat(SMALL_BYTES - make('').length));
}

/** One event as Synapse shows it, of some 330 bytes. */
function event(roomId: string, at: number, inRoom: boolean): Record<string, unknown> {
  return {
    type: 'm.room.message',
    ...(inRoom ? { room_id: roomId } : {}),
    sender: `@member${String(at % 17)}:example.org`,
    content: {
      msgtype: 'm.text',
      body: `The deployment of stage ${String(at)} went well; nothing to be done.`,
    },
    event_id: `$${String(at).padStart(8, '0')}-3Zl8Yc6SxqH0hPjK2mWbDfRtVnUaGeL`,
    origin_server_ts: 1_790_000_000_000 + at,
    unsigned: { age: 4_242, membership: 'join' },
    user_id: `@member${String(at % 17)}:example.org`,
  };
}

function page(roomId: string, events: number): string {
  const chunk = Array.from({ length: events }, (_, at) => event(roomId, at, true));
  return JSON.stringify({
    start: 't47429-4392820_219380_26003_2265',
    end: 't47409-4357353_219380_26003_2265',
    chunk,
  });
}

function largeSync(): string {
  const each = Math.round(SYNC_BYTES / ROOMS.length / JSON.stringify(event('', 0, false)).length);
  const create = {
    type: 'm.room.create',
    state_key: '',
    sender: '@a:example.org',
    content: { room_version: '11' },
    event_id: '$create',
  };
  const join = Object.fromEntries(
    ROOMS.map((room) => {
      const events = Array.from({ length: each }, (_, at) => event(room, at, false));
      return [
        room,
        {
          timeline: { limited: true, prev_batch: 't1', events },
          state: { events: [create] },
          ephemeral: { events: [] },
        },
      ];
    }),
  );
  return JSON.stringify({ next_batch: 's1', rooms: { join } });
}
