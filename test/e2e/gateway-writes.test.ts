import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Permission } from '../../src/domain/permission.ts';
import type { LeaseId, RoomId } from '../../src/domain/ids.ts';
import { openSqliteLedger } from '../../src/store/sqlite/index.ts';
import { sampleGrant } from '../contract/sample.ts';
import { statusOf } from '../harness/matrix-http.ts';
import { type Person, registerPerson, roomPath } from './support/person.ts';
import { sharedSynapse } from '../harness/shared-synapse.ts';
import { keptLog, scratchFolder } from '../store/scratch.ts';
import { type ScopedGateway, startScopedGateway } from './support/scoped-gateway.ts';

const hello = { msgtype: 'm.text', body: 'hello' };

type Event = {
  event_id: string;
  type: string;
  sender: string;
  content: Record<string, unknown>;
  unsigned?: Record<string, unknown>;
};

let alice: Person;
let bob: Person;
let ops: RoomId;
let secret: RoomId;
let encrypted: RoomId;
let proxy: Server;
let dropNext = false;
let scratch: Awaited<ReturnType<typeof scratchFolder>>;
let ledger: Awaited<ReturnType<typeof openSqliteLedger>>;
let gateway: ScopedGateway;
let txn = 0;

const ask = (method: string, path: string, body: unknown) =>
  gateway.request<{ event_id: string }>(method, path, body);
const send = (type: string, content: unknown, room: string = ops, id = `t${++txn}`) =>
  ask('PUT', roomPath(room, `send/${type}/${id}`), content);
const redact = (event: string, room: string = ops) =>
  ask('PUT', roomPath(room, `redact/${encodeURIComponent(event)}/t${++txn}`), {});
const eventAt = (room: string, id: string) =>
  bob.request<Event>('GET', roomPath(room, `event/${encodeURIComponent(id)}`));
const bodies = async (room: string) => {
  const { chunk } = await bob.request<{ chunk: Event[] }>('GET', roomPath(room, 'messages?dir=b&limit=100'));
  return chunk.filter(({ type }) => type === 'm.room.message').map(({ content }) => content['body']);
};

/** A gateway with this scope in place of the last one, with the memory of writes in the ledger's file. */
async function restart(can: readonly Permission[]): Promise<void> {
  await gateway?.[Symbol.asyncDispose]();
  gateway = await startScopedGateway(sharedSynapse(), alice, {
    rooms: [ops, encrypted],
    scope: { can },
    homeserverUrl: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    transactions: ledger.transactions,
  });
}

async function roomWith(encryption: boolean): Promise<RoomId> {
  const initial = encryption
    ? [{ type: 'm.room.encryption', state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } }]
    : [];
  return bob.createRoom({ initial_state: initial }, alice);
}

/** A proxy before Synapse that drops the answer to a write when asked to. */
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
  alice = await registerPerson(synapse, 'alice');
  bob = await registerPerson(synapse, 'bob');
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
  await gateway?.[Symbol.asyncDispose]();
  await new Promise((resolve) => proxy.close(resolve));
  await ledger.close();
  await scratch[Symbol.asyncDispose]();
});

describe('what is granted happens, as the subject', () => {
  test('send, react, edit, redact', async () => {
    const { event_id: message } = await send('m.room.message', hello);
    expect(await eventAt(ops, message)).toMatchObject({ sender: alice.userId, content: hello });
    const his = await bob.request<{ event_id: string }>(
      'PUT',
      roomPath(ops, `send/m.room.message/b${++txn}`),
      {
        ...hello,
        body: 'his',
      },
    );
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
    const { event_id: posted } = await ask('POST', roomPath(ops, 'send/m.room.message'), {
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
  const his = await bob.request<{ event_id: string }>('PUT', roomPath(ops, `send/m.room.message/b${++txn}`), {
    ...hello,
    body: 'stays',
  });
  const { event_id: elsewhere } = await alice.request<{ event_id: string }>(
    'PUT',
    roomPath(secret, `send/m.room.message/a${++txn}`),
    hello,
  );
  const bad = { ...hello, body: 'must not be' };
  const editing = (event_id: string) => ({
    ...bad,
    'm.new_content': bad,
    'm.relates_to': { rel_type: 'm.replace', event_id },
  });
  expect(await statusOf(send('m.room.message', bad, secret))).toBe(403);
  expect(await statusOf(send('m.room.message', bad, encrypted))).toBe(403);
  expect(await statusOf(send('m.room.message', editing(his.event_id)))).toBe(403);
  expect(await statusOf(send('m.room.message', editing(elsewhere)))).toBe(403);
  expect(
    await statusOf(
      send('m.reaction', { 'm.relates_to': { rel_type: 'm.annotation', event_id: elsewhere, key: 'x' } }),
    ),
  ).toBe(403);
  expect(await statusOf(redact(his.event_id))).toBe(403);
  expect(await statusOf(redact(elsewhere))).toBe(403);
  expect(await statusOf(redact(elsewhere, secret))).toBe(403);
  expect(
    await statusOf(ask('PUT', `${roomPath(ops, 'send/m.room.message/d1')}?org.matrix.msc4140.delay=10`, bad)),
  ).toBe(400);
  await restart(['read']);
  expect(await statusOf(send('m.room.message', bad))).toBe(403);
  for (const room of [ops, secret, encrypted]) expect(await bodies(room)).not.toContain('must not be');
  expect((await eventAt(ops, his.event_id)).content).toMatchObject({ body: 'stays' });
});

describe('a retry sends once', () => {
  test('over a new lease and a restart', async () => {
    const content = { ...hello, body: 'once' };
    const first = await send('m.room.message', content, ops, 'again');
    const token = await alice.upstreamToken();
    gateway.desk.upstreamToken = () => ({ leaseId: 'lease-2' as LeaseId, token });
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
    expect(await statusOf(send('m.room.message', { ...hello, body }, ops, body.replace(' ', '-')))).toBe(502);
    if (!same) await restart(['read', 'send']);
    const { event_id: id } = await send('m.room.message', { ...hello, body }, ops, body.replace(' ', '-'));
    expect(await eventAt(ops, id)).toMatchObject({ content: { body } });
    expect((await bodies(ops)).filter((one) => one === body)).toHaveLength(1);
  });

  test('where the homeserver did not know the token any more', async () => {
    const fresh = await alice.upstreamToken();
    gateway.desk.upstreamToken = () => ({ leaseId: 'lease-1' as LeaseId, token: 'syt_dead' });
    gateway.desk.renewal = { leaseId: 'lease-2' as LeaseId, token: fresh };
    await send('m.room.message', { ...hello, body: 'renewed' });
    expect((await bodies(ops)).filter((body) => body === 'renewed')).toHaveLength(1);
  });
});
