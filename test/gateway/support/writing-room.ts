import type { Permission } from '../../../src/domain/permission.ts';
import type { Scope } from '../../../src/domain/scope.ts';
import { ALICE, DEV, grantOf, OPS, SECRET } from './grants.ts';
import { stage, type Stage } from './stage.ts';
import type { RecordingHomeserver } from './recording-homeserver.ts';

type Options = Parameters<typeof stage>[0];
export const BOB = '@bob:hs.test';
export const V3 = '/_matrix/client/v3';
export const inRoom = (room: string, below: string) => `${V3}/rooms/${encodeURIComponent(room)}/${below}`;

/** The events there are. DEV is encrypted. */
const EVENTS: readonly Record<string, unknown>[] = [
  { event_id: '$own', room_id: OPS, sender: ALICE, type: 'm.room.message', content: { body: 'mine' } },
  { event_id: '$bobs', room_id: OPS, sender: BOB, type: 'm.room.message', content: { body: 'his' } },
  { event_id: '$sticker', room_id: OPS, sender: ALICE, type: 'm.sticker', content: {} },
  {
    event_id: '$name',
    room_id: OPS,
    sender: ALICE,
    type: 'm.room.name',
    state_key: '',
    content: { name: 'Ops' },
  },
  {
    event_id: '$elsewhere',
    room_id: SECRET,
    sender: ALICE,
    type: 'm.room.message',
    content: { body: 'secret' },
  },
];

/** A gateway before a homeserver that knows a few events and takes writes; the scope beside it. */
export async function writingStage(
  can: readonly Permission[],
  options: Options & { scope?: Partial<Scope> } = {},
): Promise<Stage> {
  const { scope, ...rest } = options;
  const grant = { scope: { ...grantOf([OPS, DEV]).scope, can, ...scope } };
  const s = await stage({ grant, limits: { writesAtOnce: 1_000 }, ...rest });
  answerAsRoom(s.homeserver);
  return s;
}

/** As a homeserver that has these events, and takes what is written. */
export function answerAsRoom(homeserver: RecordingHomeserver, loose = false): void {
  let count = 0;
  homeserver.answer(({ method, path }, response) => {
    if (method === 'PUT') return { event_id: `$sent${++count}` };
    const missing = (): undefined => {
      response
        .writeHead(404, { 'content-type': 'application/json' })
        .end('{"errcode":"M_NOT_FOUND","error":"x"}');
    };
    if (path.endsWith('/state/m.room.encryption/'))
      return path.includes(encodeURIComponent(DEV)) ? { algorithm: 'm.megolm' } : missing();
    const [, room, eventId] = /\/rooms\/([^/]+)\/event\/([^/]+)$/.exec(path) ?? [];
    const event = EVENTS.find((one) => one['event_id'] === decodeURIComponent(eventId ?? ''));
    // Loose: as one that serves any event through any room.
    if (event !== undefined)
      return loose || event['room_id'] === decodeURIComponent(room ?? '') ? event : missing();
    if (path.endsWith('/messages')) return { chunk: [], start: 's' };
    return missing();
  });
}

/** What was written at the homeserver, as the homeserver saw it. */
export function writesAt(homeserver: RecordingHomeserver) {
  return homeserver.seen
    .filter(({ method }) => method !== 'GET')
    .map(({ method, path, url, body }) => ({ method, path, url, body: JSON.parse(body) as unknown }));
}
