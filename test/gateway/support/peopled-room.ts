import type { Permission } from '../../../src/domain/permission.ts';
import type { RoomId } from '../../../src/domain/ids.ts';
import type { Scope } from '../../../src/domain/scope.ts';
import type { GatewayOptions } from '../../../src/gateway/server.ts';
import { ALICE, DEV, grantOf, OPS, SECRET } from './grants.ts';
import { stage, type Stage } from './stage.ts';

/**
 * Rooms the subject was invited to, knows of, and left. All three are in scope where nothing else is said.
 */
export const INVITED = '!invited:hs.test' as RoomId;
export const KNOWN = '!known:hs.test' as RoomId;

const OTHERS = {
  '@bob:hs.test': 'join',
  '@carol:hs.test': 'ban',
  '@dave:hs.test': 'invite',
  '@eve:hs.test': 'leave',
  '@fay:hs.test': 'knock',
};

/** What the homeserver knows of power. An undefined `levels`: the room has none. */
export type Room = { readonly create?: unknown; readonly levels?: unknown };

/** A room of version 12 that alice made. */
export const TWELVE: Room = {
  create: {
    type: 'm.room.create',
    state_key: '',
    sender: ALICE,
    room_id: OPS,
    content: { room_version: '12' },
  },
  levels: { users: { '@bob:hs.test': 50 }, ban: 50, kick: 50, redact: 50, invite: 0, state_default: 50 },
};

/** A gateway before a homeserver with members in its rooms; the scope beside it. */
export async function peopledStage(
  can: readonly Permission[],
  options: {
    scope?: Partial<Scope>;
    rooms?: Scope['rooms'];
    joined?: readonly RoomId[];
    room?: Room;
    limits?: GatewayOptions['limits'];
  } = {},
): Promise<Stage> {
  const { scope, room = TWELVE, rooms = [OPS, DEV, INVITED, KNOWN], ...rest } = options;
  const grant = { scope: { ...grantOf(rooms).scope, can, ...scope } };
  const s = await stage({ grant, rooms, limits: { writesAtOnce: 1_000 }, ...rest });
  answerAsPeopled(s, room);
  return s;
}

/** As a homeserver with these members, that does what it is told. It tells more than it should. */
export function answerAsPeopled(s: Stage, { create, levels }: Room): void {
  let count = 0;
  s.homeserver.answer(({ method, path, query }, response) => {
    const error = (status: number, errcode: string): undefined => {
      response
        .writeHead(status, { 'content-type': 'application/json' })
        .end(JSON.stringify({ errcode, error: `leak of ${SECRET}` }));
    };
    const [, raw = '', below = ''] = /\/(?:rooms|knock)\/([^/]+)\/?(.*)$/.exec(path) ?? [];
    const roomId = decodeURIComponent(raw);
    if (method === 'PUT') return { event_id: `$sent${++count}`, leak: SECRET };
    if (method === 'POST') return { room_id: roomId, leak: SECRET };
    if (below === 'state/m.room.create/') return create ?? error(404, 'M_NOT_FOUND');
    if (below === 'state/m.room.power_levels/') return levels ?? error(404, 'M_NOT_FOUND');
    if (below.startsWith('event/')) {
      const sender = below.includes('own') ? ALICE : '@bob:hs.test';
      return {
        event_id: decodeURIComponent(below.slice(6)),
        room_id: roomId,
        sender,
        type: 'm.room.message',
        content: {},
      };
    }
    if (below.startsWith('state/m.room.member/')) {
      if (roomId === INVITED || roomId === KNOWN) return error(403, 'M_FORBIDDEN');
      const userId = decodeURIComponent(below.slice(20));
      const membership =
        userId === ALICE ? 'join' : Object.entries(OTHERS).find(([id]) => id === userId)?.[1];
      if (membership === undefined) return error(404, 'M_NOT_FOUND');
      if (query.get('format') !== 'event') return { membership };
      return {
        event_id: '$member',
        room_id: roomId,
        sender: userId,
        state_key: userId,
        type: 'm.room.member',
        origin_server_ts: 1,
        content: { membership },
      };
    }
    return error(404, 'M_NOT_FOUND');
  });
}
