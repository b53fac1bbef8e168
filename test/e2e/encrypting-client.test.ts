import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { GrantId, RoomId } from '../../src/domain/ids.ts';
import type { Gateway } from '../../src/gateway/server.ts';
import { grantDesk } from '../gateway/support/grant-desk.ts';
import { startTestGateway } from '../gateway/support/test-gateway.ts';
import { jsSdkHolder } from '../harness/holder-js-sdk.ts';
import { sharedSynapse } from '../harness/shared-synapse.ts';
import { silentLog } from '../support/silent-log.ts';
import { realTime } from '../support/wait.ts';
import { type Person, registerPerson, V3 } from './support/person.ts';
import { addGrant } from './support/scoped-gateway.ts';

// A client with an encryption engine, as Element X and matrix-js-sdk have it, at a token that has no device. What
// the gateway answers by itself has to satisfy the engine: one that is not satisfied asks again, without pause.

const GRANT = 'CRYPT1' as GrantId;
const ENCRYPTION = { type: 'm.room.encryption', content: { algorithm: 'm.megolm.v1.aes-sha2' } };
/** What such a client asks in its first seconds, of each operation but sync. */
const MOST = 4;

type Logged = { operation: string; status: number };
let alice: Person;
let bob: Person;
let room: RoomId;
let gateway: Gateway;
const log: Logged[] = [];

beforeAll(async () => {
  for (const level of ['debug', 'info', 'log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockReturnValue();
  const synapse = sharedSynapse();
  alice = await registerPerson(synapse, 'alice');
  bob = await registerPerson(synapse, 'bob');
  room = await bob.createRoom({ name: 'Board', initial_state: [ENCRYPTION] }, alice);
  const desk = grantDesk(await alice.upstreamToken());
  addGrant(desk, {
    token: 'mwt_CRYPT1_scoped',
    id: GRANT,
    subject: alice.userId,
    rooms: [room],
    scope: { can: ['read', 'send', 'send:m.room.encrypted'] },
  });
  gateway = await startTestGateway({
    homeserverUrl: synapse.baseUrl,
    accessControl: desk,
    log: { ...silentLog, info: (_, details) => void log.push(details as unknown as Logged) },
  });
});

afterAll(() => gateway.close());

test('it starts, sends, and rests', async () => {
  const url = `http://127.0.0.1:${String(gateway.port)}`;
  const given = { baseUrl: url, token: 'mwt_CRYPT1_scoped', userId: alice.userId };
  await using client = jsSdkHolder(given, `MINTWARDEN_${GRANT}`);
  await client.start();
  expect(await client.rooms()).toEqual([room]);
  const sent = await client.say(room, 'for nobody, since nobody has a device here');
  // Whether it rests is a matter of its own clocks.
  await realTime(5_000);
  const counts = Map.groupBy(log, ({ operation, status }) => `${String(status)} ${operation}`);
  const asked = [...counts].map(([what, all]) => [what, all.length] as const);
  for (const [what, times] of asked)
    if (!what.endsWith(' sync')) expect([what, times <= MOST]).toEqual([what, true]);
  expect(log.length).toBeLessThan(40);
  const { type } = await bob.request<{ type: string }>(
    'GET',
    `${V3}/rooms/${encodeURIComponent(room)}/event/${encodeURIComponent(sent)}`,
  );
  expect(type).toBe('m.room.encrypted');
});
