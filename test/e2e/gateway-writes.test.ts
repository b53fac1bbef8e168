import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Allowance } from '../../src/domain/allowance.ts';
import type { LeaseId, RoomId, UserId } from '../../src/domain/ids.ts';
import { type Gateway, startGateway } from '../../src/gateway/server.ts';
import { openSqliteLedger } from '../../src/store/sqlite/index.ts';
import { sampleGrant } from '../contract/sample.ts';
import { type GrantDesk, grantDesk } from '../gateway/support/grant-desk.ts';
import { grantOf } from '../gateway/support/grants.ts';
import { matrixRequest, MatrixHttpError } from '../harness/matrix-http.ts';
import { sharedSynapse } from '../harness/shared-synapse.ts';
import type { TestUser } from '../harness/synapse-users.ts';
import { keptLog, scratchFolder } from '../store/scratch.ts';

const TOKEN = 'mwt_7F3K9Q_scoped';
const V3 = '/_matrix/client/v3';
const quiet = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
const hello = { msgtype: 'm.text', body: 'hello' };

type Event = {
  event_id: string;
  type: string;
  sender: string;
  content: Record<string, unknown>;
  unsigned?: Record<string, unknown>;
};

let alice: TestUser;
let bob: TestUser;
let ops: RoomId;
let secret: RoomId;
let encrypted: RoomId;
let proxy: Server;
let dropNext = false;
let scratch: Awaited<ReturnType<typeof scratchFolder>>;
let ledger: Awaited<ReturnType<typeof openSqliteLedger>>;
let desk: GrantDesk;
let gateway: Gateway | null = null;
let txn = 0;

const inRoom = (room: string, below: string) => `${V3}/rooms/${encodeURIComponent(room)}/${below}`;
const direct = <T>(user: TestUser, method: string, path: string, body?: unknown) =>
  matrixRequest<T>(sharedSynapse().baseUrl, method, path, {
    token: user.accessToken,
    ...(body === undefined ? {} : { body }),
  });
const ask = (method: string, path: string, body: unknown) =>
  matrixRequest<{ event_id: string }>(`http://127.0.0.1:${gateway?.port}`, method, path, {
    token: TOKEN,
    body,
  });
const send = (type: string, content: unknown, room: string = ops, id = `t${++txn}`) =>
  ask('PUT', inRoom(room, `send/${type}/${id}`), content);
const redact = (event: string, room: string = ops) =>
  ask('PUT', inRoom(room, `redact/${encodeURIComponent(event)}/t${++txn}`), {});
const eventAt = (room: string, id: string) =>
  direct<Event>(bob, 'GET', inRoom(room, `event/${encodeURIComponent(id)}`));
const status = async (asking: Promise<unknown>) => {
  const error: unknown = await asking.then(
    () => null,
    (reason: unknown) => reason,
  );
  return error instanceof MatrixHttpError ? error.status : error;
};
const bodies = async (room: string) => {
  const { chunk } = await direct<{ chunk: Event[] }>(bob, 'GET', inRoom(room, 'messages?dir=b&limit=100'));
  return chunk.filter(({ type }) => type === 'm.room.message').map(({ content }) => content['body']);
};

async function mintUpstream(): Promise<string> {
  const { baseUrl, adminToken } = sharedSynapse();
  const path = `/_synapse/admin/v1/users/${encodeURIComponent(alice.userId)}/login`;
  const minted = await matrixRequest<{ access_token: string }>(baseUrl, 'POST', path, {
    token: adminToken,
    body: { valid_until_ms: Date.now() + 3_600_000 },
  });
  return minted.access_token;
}

/** A gateway of this scope; the one before has ended, its memory of writes is that of the ledger's file. */
async function restart(can: readonly Allowance[]): Promise<void> {
  await gateway?.close();
  desk = grantDesk(await mintUpstream());
  const grant = grantOf([ops, encrypted], {
    subject: alice.userId as UserId,
    scope: { v: 1, rooms: [ops, encrypted], can },
  });
  desk.add(TOKEN, { grant, rooms: new Set([ops, encrypted]) });
  gateway = await startGateway({
    listen: { host: '127.0.0.1', port: 0 },
    homeserverUrl: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    publicUrl: 'http://127.0.0.1',
    access: desk,
    sentence: () => 'a sentence',
    transactions: ledger.transactions,
    clock: { now: () => Date.now() },
    log: quiet,
    limits: { writesAtOnce: 1_000 },
  });
}

async function roomWith(encryption: boolean): Promise<RoomId> {
  const initial = encryption
    ? [{ type: 'm.room.encryption', state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } }]
    : [];
  const made = await direct<{ room_id: RoomId }>(bob, 'POST', `${V3}/createRoom`, {
    invite: [alice.userId],
    initial_state: initial,
  });
  await direct(alice, 'POST', `${V3}/join/${encodeURIComponent(made.room_id)}`, {});
  return made.room_id;
}

/** Before Synapse, and lets an answer to a write get lost when asked to. */
function lossyProxy(): Server {
  return createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const {
        host: _host,
        'content-length': _length,
        'transfer-encoding': _encoding,
        connection: _connection,
        ...headers
      } = request.headers;
      const body = chunks.length === 0 ? {} : { body: Buffer.concat(chunks) };
      const asking = fetch(sharedSynapse().baseUrl + request.url, {
        method: request.method ?? 'GET',
        headers: headers as Record<string, string>,
        ...body,
      });
      void asking.then(async (answer) => {
        const text = await answer.text();
        if (dropNext && request.method === 'PUT') {
          dropNext = false;
          response.destroy();
        } else response.writeHead(answer.status, { 'content-type': 'application/json' }).end(text);
      });
    });
  });
}

beforeAll(async () => {
  const synapse = sharedSynapse();
  alice = await synapse.uniqueUser('alice');
  bob = await synapse.uniqueUser('bob');
  ops = await roomWith(false);
  secret = await roomWith(false);
  encrypted = await roomWith(true);
  proxy = lossyProxy();
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  scratch = await scratchFolder();
  ledger = await openSqliteLedger({ file: scratch.file, log: keptLog() });
  await ledger.commit({ at: Date.now(), grants: [sampleGrant({ id: '7F3K9Q' })] });
});

beforeEach(() => restart(['read', 'send', 'react', 'edit', 'redact']));

afterAll(async () => {
  await gateway?.close();
  await new Promise((resolve) => proxy.close(resolve));
  await ledger.close();
  await scratch[Symbol.asyncDispose]();
});

describe('what is granted happens, as the subject', () => {
  test('send, react, edit, redact', async () => {
    const { event_id: message } = await send('m.room.message', hello);
    expect(await eventAt(ops, message)).toMatchObject({ sender: alice.userId, content: hello });
    const his = await direct<{ event_id: string }>(bob, 'PUT', inRoom(ops, `send/m.room.message/b${++txn}`), {
      ...hello,
      body: 'his',
    });
    const { event_id: thumb } = await send('m.reaction', {
      'm.relates_to': { rel_type: 'm.annotation', event_id: his.event_id, key: '👍' },
    });
    expect(await eventAt(ops, thumb)).toMatchObject({ type: 'm.reaction', sender: alice.userId });
    await send('m.room.message', {
      ...hello,
      'm.new_content': { ...hello, body: 'edited' },
      'm.relates_to': { rel_type: 'm.replace', event_id: message },
    });
    expect(JSON.stringify((await eventAt(ops, message)).unsigned)).toContain('edited');
    await redact(message);
    expect((await eventAt(ops, message)).content).toEqual({});
    const { event_id: posted } = await ask('POST', inRoom(ops, 'send/m.room.message'), {
      ...hello,
      body: 'posted',
    });
    expect(await eventAt(ops, posted)).toMatchObject({ content: { body: 'posted' } });
  });

  test('ciphertext into an encrypted room, where it is named', async () => {
    await restart(['read', 'send:m.room.encrypted']);
    const content = {
      algorithm: 'm.megolm.v1.aes-sha2',
      ciphertext: 'AwgA',
      session_id: 's',
      sender_key: 'k',
      device_id: 'D',
    };
    const { event_id: id } = await send('m.room.encrypted', content, encrypted);
    expect(await eventAt(encrypted, id)).toMatchObject({ content });
  });

  test('plaintext into an encrypted room, where that is granted', async () => {
    await restart(['read', 'send', 'plaintext']);
    const { event_id: id } = await send('m.room.message', { ...hello, body: 'in clear' }, encrypted);
    expect(await eventAt(encrypted, id)).toMatchObject({ content: { body: 'in clear' } });
  });
});

test('what is not granted is refused, and nothing of it is in the rooms', async () => {
  const his = await direct<{ event_id: string }>(bob, 'PUT', inRoom(ops, `send/m.room.message/b${++txn}`), {
    ...hello,
    body: 'stays',
  });
  const { event_id: elsewhere } = await direct<{ event_id: string }>(
    alice,
    'PUT',
    inRoom(secret, `send/m.room.message/a${++txn}`),
    hello,
  );
  const bad = { ...hello, body: 'must not be' };
  const editing = (event_id: string) => ({
    ...bad,
    'm.new_content': bad,
    'm.relates_to': { rel_type: 'm.replace', event_id },
  });
  expect(await status(send('m.room.message', bad, secret))).toBe(403);
  expect(await status(send('m.room.message', bad, encrypted))).toBe(403);
  expect(await status(send('m.room.message', editing(his.event_id)))).toBe(403);
  expect(await status(send('m.room.message', editing(elsewhere)))).toBe(403);
  expect(
    await status(
      send('m.reaction', { 'm.relates_to': { rel_type: 'm.annotation', event_id: elsewhere, key: 'x' } }),
    ),
  ).toBe(403);
  expect(await status(redact(his.event_id))).toBe(403);
  expect(await status(redact(elsewhere))).toBe(403);
  expect(await status(redact(elsewhere, secret))).toBe(403);
  expect(
    await status(ask('PUT', `${inRoom(ops, 'send/m.room.message/d1')}?org.matrix.msc4140.delay=10`, bad)),
  ).toBe(400);
  await restart(['read']);
  expect(await status(send('m.room.message', bad))).toBe(403);
  for (const room of [ops, secret, encrypted]) expect(await bodies(room)).not.toContain('must not be');
  expect((await eventAt(ops, his.event_id)).content).toMatchObject({ body: 'stays' });
});

describe('a retry sends once', () => {
  test('over a new lease and a restart', async () => {
    const content = { ...hello, body: 'once' };
    const first = await send('m.room.message', content, ops, 'again');
    const token = await mintUpstream();
    desk.upstream = () => ({ leaseId: 'lease-2' as LeaseId, token });
    expect(await send('m.room.message', content, ops, 'again')).toEqual(first);
    await ledger.close();
    ledger = await openSqliteLedger({ file: scratch.file, log: keptLog() });
    await restart(['read', 'send']);
    expect(await send('m.room.message', content, ops, 'again')).toEqual(first);
    expect((await bodies(ops)).filter((body) => body === 'once')).toHaveLength(1);
  });

  test.each([true, false])('where the answer was lost (the same lease: %s)', async (same) => {
    const body = `lost ${same}`;
    dropNext = true;
    expect(await status(send('m.room.message', { ...hello, body }, ops, body.replace(' ', '-')))).toBe(502);
    if (!same) await restart(['read', 'send']);
    const { event_id: id } = await send('m.room.message', { ...hello, body }, ops, body.replace(' ', '-'));
    expect(await eventAt(ops, id)).toMatchObject({ content: { body } });
    expect((await bodies(ops)).filter((one) => one === body)).toHaveLength(1);
  });

  test('where the homeserver did not know the token any more', async () => {
    const fresh = await mintUpstream();
    desk.upstream = () => ({ leaseId: 'lease-1' as LeaseId, token: 'syt_dead' });
    desk.renewal = { leaseId: 'lease-2' as LeaseId, token: fresh };
    await send('m.room.message', { ...hello, body: 'renewed' });
    expect((await bodies(ops)).filter((body) => body === 'renewed')).toHaveLength(1);
  });
});
