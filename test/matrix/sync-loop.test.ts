import { EngineError } from '@matrix-org/matrix-sdk-crypto-nodejs';
import { expect, test } from 'vitest';
import type { RoomId } from '../../src/domain/ids.ts';
import type { EngineClient } from '../../src/matrix/engine-client.ts';
import type { HomeserverClient } from '../../src/matrix/homeserver.ts';
import { toRefusal } from '../../src/matrix/homeserver-errors.ts';
import { createReceiver } from '../../src/matrix/receiver.ts';
import type { ToDeviceGate } from '../../src/matrix/to-device-gate.ts';
import { startSyncLoop } from '../../src/matrix/sync-loop.ts';
import { silentLog } from '../support/silent-log.ts';

const ROOM = '!dm' as RoomId;
const STEP_MS = 5_000;

function nothingToRead(): Promise<never> {
  return Promise.reject(new EngineError('undecryptable', 'No key.', '', { reason: 'missing-room-key' }));
}

const gate: ToDeviceGate = { admit: async () => [] };
const invitations = { note: () => undefined };
const UNHEARD = { onLoggedOut: undefined, onReconnected: undefined };

test('somebody who sends what cannot be decrypted, again and again, does not keep the position from moving', async () => {
  let answers = 0;
  let clock = 1_000_000;
  const saved: number[] = [];
  const enough = Promise.withResolvers<void>();
  const stopped = new AbortController();
  const engine = {
    withLock: (work: () => Promise<unknown>) => work(),
    processSync: async () => undefined,
    sendOutgoingRequests: async () => undefined,
    machine: { decryptRoomEvent: nothingToRead },
  } as unknown as EngineClient;
  const homeserver = {
    request: async () => {
      answers++;
      clock += STEP_MS;
      if (answers > 40) {
        enough.resolve();
        await new Promise((resolve) => stopped.signal.addEventListener('abort', resolve));
        throw new Error('stopped');
      }
      const event = {
        event_id: `$${answers}`,
        type: 'm.room.encrypted',
        sender: '@eve:x',
        origin_server_ts: clock,
        content: { ciphertext: 'x' },
      };
      return { next_batch: String(answers), rooms: { join: { [ROOM]: { timeline: { events: [event] } } } } };
    },
  } as unknown as HomeserverClient;
  const heard: string[] = [];
  const receiver = createReceiver({
    engine,
    homeserver,
    botId: '@bot:x',
    isWatched: async () => true,
    isAdmin: () => true,
    elapsedMs: () => 0,
    onEvent: async (event) => void heard.push(event.kind),
    log: silentLog,
    now: () => clock,
  });
  const position = { load: async () => 'start', save: async (next: string) => void saved.push(Number(next)) };
  const loop = startSyncLoop({
    homeserver,
    engine,
    receiver,
    gate,
    invitations,
    position,
    log: silentLog,
    now: () => clock,
    ...UNHEARD,
  });
  await enough.promise;
  stopped.abort();
  await loop.stop();
  expect(heard.length).toBeGreaterThan(30);
  // Never past a text that still waits, and never far behind.
  expect(saved.at(-1)).toBeGreaterThanOrEqual(36);
  expect(saved.at(-1)).toBeLessThan(40);
  expect(saved).toEqual(saved.toSorted((a, b) => a - b));
});

test('rooms that are not ours, and one that was purged, do not keep it from hearing the others', async () => {
  const asked: string[] = [];
  const heard: string[] = [];
  const enough = Promise.withResolvers<void>();
  const stopped = new AbortController();
  const timeline = (id: string) => {
    const event = {
      event_id: id,
      type: 'm.room.message',
      sender: '@a:x',
      origin_server_ts: 1,
      content: { msgtype: 'm.text', body: id },
    };
    return { timeline: { limited: true, prev_batch: 'p', events: [event] } };
  };
  const homeserver = {
    request: async (_method: string, path: string) => {
      asked.push(path);
      if (path.includes('/messages')) throw toRefusal({ status: 403, body: { errcode: 'M_FORBIDDEN' } });
      if (heard.length > 0) {
        enough.resolve();
        await new Promise((resolve) => stopped.signal.addEventListener('abort', resolve));
        throw new Error('stopped');
      }
      return {
        next_batch: 'n',
        rooms: {
          join: { '!foreign': timeline('$f'), '!dm': timeline('$d') },
          leave: { '!purged': timeline('$p') },
        },
      };
    },
  } as unknown as HomeserverClient;
  const engine = {
    withLock: (work: () => unknown) => work(),
    processSync: async () => undefined,
    sendOutgoingRequests: async () => undefined,
  } as unknown as EngineClient;
  const receiver = createReceiver({
    engine,
    homeserver,
    botId: '@bot:x',
    isWatched: async (roomId) => roomId !== '!foreign',
    isAdmin: () => true,
    elapsedMs: () => 0,
    onEvent: async (event) => void (event.kind === 'message' && heard.push(event.message.body)),
    log: silentLog,
    now: () => 2,
  });
  const position = { load: async () => 'start', save: async () => undefined };
  const loop = startSyncLoop({
    homeserver,
    engine,
    receiver,
    gate,
    invitations,
    position,
    log: silentLog,
    now: () => 2,
    ...UNHEARD,
  });
  await enough.promise;
  stopped.abort();
  await loop.stop();
  expect(heard).toEqual(['$d', '$p']);
  expect(asked.join(' ')).not.toContain('foreign');
});
