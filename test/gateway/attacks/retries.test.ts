import { describe, expect, test } from 'vitest';
import type { LeaseId } from '../../../src/domain/ids.ts';
import { ALICE, OPS } from '../support/grants.ts';
import { memoryTransactions } from '../support/memory-transactions.ts';
import type { Stage } from '../support/stage.ts';
import { answerAsRoom, inRoom, writesAt, writingStage } from '../support/writing-room.ts';
import { settled } from '../../support/wait.ts';

const hello = { msgtype: 'm.text', body: 'hello' };
const path = inRoom(OPS, 'send/m.room.message/t1');
const put = (s: Stage, body: unknown = hello, at = path) => s.ask('PUT', at, { body: JSON.stringify(body) });
const told = ({ status, body }: { status: number; body: unknown }) => [status, body];

/** The homeserver gets the next write and does with it as said; before and after it is as always. */
function nextWrite(
  s: Stage,
  how: 'breaks off' | 'is in trouble' | 'answers nonsense' | 'is a proxy in trouble',
): void {
  s.homeserver.answer(({ method, path: asked }, response) => {
    if (method !== 'PUT')
      return void response
        .writeHead(404, { 'content-type': 'application/json' })
        .end('{"errcode":"M_NOT_FOUND"}');
    expect(asked).toContain('/send/');
    if (how === 'breaks off') return void response.destroy();
    if (how === 'answers nonsense') return { event: 1 };
    const [status, body] = how === 'is in trouble' ? [500, '{"errcode":"M_UNKNOWN"}'] : [408, 'too slow'];
    return void response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  });
}

/** The room's timeline has these events, and a write would be answered. */
function timeline(s: Stage, events: readonly object[]): void {
  let count = 0;
  s.homeserver.answer(({ method, path: asked }, response) => {
    if (method === 'PUT') return { event_id: `$again${++count}` };
    if (asked.endsWith('/messages')) return { chunk: events, start: 's' };
    return void response
      .writeHead(404, { 'content-type': 'application/json' })
      .end('{"errcode":"M_NOT_FOUND"}');
  });
}

/** As the homeserver gives it back: its keys in another order. */
const sentByAlice = {
  type: 'm.room.message',
  event_id: '$it',
  room_id: OPS,
  sender: ALICE,
  content: { body: 'hello', msgtype: 'm.text' },
};

describe('a transaction id that was answered', () => {
  test('is answered again, over a new lease and a restart of the gateway', async () => {
    const transactions = memoryTransactions();
    {
      await using s = await writingStage(['send'], { transactions });
      for (let i = 0; i < 3; i++) expect(told(await put(s))).toEqual([200, { event_id: '$sent1' }]);
      s.desk.upstreamToken = () => ({ leaseId: 'lease-2' as LeaseId, token: 'another' });
      expect(told(await put(s))).toEqual([200, { event_id: '$sent1' }]);
      expect(writesAt(s.homeserver)).toHaveLength(1);
    }
    await using s = await writingStage(['send'], { transactions });
    expect(told(await put(s))).toEqual([200, { event_id: '$sent1' }]);
    expect(s.homeserver.seen).toEqual([]);
  });

  test('is not taken for other content, another type or another room', async () => {
    await using s = await writingStage(['send', 'plaintext']);
    await put(s);
    expect((await put(s, { ...hello, body: 'bye' })).body).toMatchObject({ errcode: 'M_INVALID_PARAM' });
    expect((await put(s, hello, inRoom(OPS, 'send/m.sticker/t1'))).body).toEqual({ event_id: '$sent2' });
    expect(writesAt(s.homeserver)).toHaveLength(2);
  });

  test('is asked of nobody twice at the same time', async () => {
    await using s = await writingStage(['send']);
    const got = await Promise.all(Array.from({ length: 10 }, () => put(s)));
    // Those that came between are told to ask again, or the same.
    for (const { status, body } of got)
      expect([200, 503]).toContain(status === 200 && body['event_id'] === '$sent1' ? 200 : status);
    expect(writesAt(s.homeserver)).toHaveLength(1);
    expect(told(await put(s))).toEqual([200, { event_id: '$sent1' }]);
  });

  test('is known though the holder went before the answer', async () => {
    await using s = await writingStage(['send']);
    const arrived = Promise.withResolvers<() => void>();
    s.homeserver.answer(({ method }, response) => {
      if (method !== 'PUT')
        return void response
          .writeHead(404, { 'content-type': 'application/json' })
          .end('{"errcode":"M_NOT_FOUND"}');
      arrived.resolve(() =>
        response.writeHead(200, { 'content-type': 'application/json' }).end('{"event_id":"$late"}'),
      );
      return undefined;
    });
    const gone = new AbortController();
    const first = s.ask('PUT', path, { body: JSON.stringify(hello), signal: gone.signal }).catch(() => null);
    const answer = await arrived.promise;
    gone.abort();
    await first;
    const again = put(s);
    await settled();
    answer();
    expect(told(await again)).toEqual([200, { event_id: '$late' }]);
    expect(writesAt(s.homeserver)).toHaveLength(1);
  });
});

describe('a write whose answer is lost', () => {
  test.each(['breaks off', 'is in trouble', 'answers nonsense', 'is a proxy in trouble'] as const)(
    'since the homeserver %s is not sent again, whatever lease and however often',
    async (how) => {
      await using s = await writingStage(['send']);
      nextWrite(s, how);
      expect((await put(s)).status).toBe(502);
      timeline(s, [{ ...sentByAlice, content: { body: 'other' }, origin_server_ts: Date.now() }]);
      for (const lease of ['lease-1', 'lease-2', 'lease-3']) {
        s.desk.upstreamToken = () => ({ leaseId: lease as LeaseId, token: lease });
        expect((await put(s)).status).toBe(503);
      }
      expect(writesAt(s.homeserver)).toHaveLength(1);
    },
  );

  test('is found in the room by its transaction id, or by its content where another lease looks', async () => {
    for (const unsigned of [true, false]) {
      await using s = await writingStage(['send']);
      nextWrite(s, 'breaks off');
      await put(s);
      const txn = writesAt(s.homeserver)[0]?.path.split('/').at(-1);
      const other = {
        ...sentByAlice,
        event_id: '$other',
        origin_server_ts: Date.now(),
        unsigned: { transaction_id: 'another' },
      };
      timeline(s, [
        other,
        { ...sentByAlice, origin_server_ts: Date.now(), unsigned: unsigned ? { transaction_id: txn } : {} },
      ]);
      expect(told(await put(s))).toEqual([200, { event_id: '$it' }]);
      expect(told(await put(s))).toEqual([200, { event_id: '$it' }]);
      expect(writesAt(s.homeserver)).toHaveLength(1);
    }
  });

  test.each<[string, object]>([
    ['another’s', { sender: '@bob:hs.test' }],
    ['of another room', { room_id: '!secret:hs.test' }],
    ['older', { origin_server_ts: 1 }],
    ['of another type', { type: 'm.sticker' }],
    ['state', { state_key: '' }],
  ])('is not taken for an event that is %s', async (_, change) => {
    await using s = await writingStage(['send']);
    nextWrite(s, 'breaks off');
    await put(s);
    timeline(s, [{ ...sentByAlice, origin_server_ts: Date.now(), ...change }]);
    expect((await put(s)).status).toBe(503);
  });

  test('after a minute is said to be unknown for good', async () => {
    const transactions = memoryTransactions();
    await using s = await writingStage(['send'], { transactions });
    nextWrite(s, 'breaks off');
    await put(s);
    for (const [name, row] of transactions.rows)
      transactions.rows.set(name, { ...row, begunAt: row.begunAt - 61_000 });
    timeline(s, []);
    expect((await put(s)).status).toBe(409);
    expect(writesAt(s.homeserver)).toHaveLength(1);
  });
});

describe('a write that was certainly not sent', () => {
  test.each([
    [403, 'M_FORBIDDEN', 403],
    [429, 'M_LIMIT_EXCEEDED', 429],
    [400, 'M_BAD_JSON', 400],
  ])('since the homeserver refused it (%s) may be sent later', async (status, errcode, expected) => {
    await using s = await writingStage(['send']);
    s.homeserver.answer(
      ({ method }, response) =>
        void response
          .writeHead(method === 'PUT' ? status : 404, { 'content-type': 'application/json' })
          .end(JSON.stringify({ errcode: method === 'PUT' ? errcode : 'M_NOT_FOUND' })),
    );
    expect((await put(s)).status).toBe(expected);
    answerAsRoom(s.homeserver);
    expect(told(await put(s))).toEqual([200, { event_id: '$sent1' }]);
  });

  test('since the homeserver did not know the token goes once more, with a new lease, under the same id', async () => {
    await using s = await writingStage(['send']);
    s.desk.renewal = { leaseId: 'lease-2' as LeaseId, token: 'fresh' };
    s.homeserver.answer(({ method, headers }, response) => {
      const [status, body] =
        method !== 'PUT'
          ? [404, '{"errcode":"M_NOT_FOUND"}']
          : headers.authorization === 'Bearer fresh'
            ? [200, '{"event_id":"$e"}']
            : [401, '{"errcode":"M_UNKNOWN_TOKEN"}'];
      return void response.writeHead(status, { 'content-type': 'application/json' }).end(body);
    });
    expect(told(await put(s))).toEqual([200, { event_id: '$e' }]);
    const [first, second, ...more] = writesAt(s.homeserver);
    expect(more).toEqual([]);
    expect(second?.path).toBe(first?.path);
  });

  test('since the homeserver was not there may be sent later', async () => {
    const transactions = memoryTransactions();
    {
      await using s = await writingStage(['send', 'plaintext'], {
        transactions,
        homeserverUrl: 'http://127.0.0.1:9',
      });
      expect((await put(s)).status).toBe(502);
    }
    expect(transactions.rows.size).toBe(0);
    await using s = await writingStage(['send', 'plaintext'], { transactions });
    expect(told(await put(s))).toEqual([200, { event_id: '$sent1' }]);
  });
});
