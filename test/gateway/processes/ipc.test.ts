import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { EventId, GrantId, LeaseId } from '../../../src/domain/ids.ts';
import { newToken } from '../../../src/domain/token.ts';
import { mediaAddress } from '../../../src/domain/media-address.ts';
import {
  remoteRateLimiters,
  remoteTransactions,
  sharedOwnMedia,
} from '../../../src/gateway/processes/remote-services.ts';
import { tokenBucket } from '../../../src/gateway/limits/rate-limiter.ts';
import { createAccessControl } from '../../../src/lifecycle/access/access.ts';
import type { TokenVerification } from '../../../src/lifecycle/access/access-control.ts';
import { Service } from '../../lifecycle/support/harness.ts';
import { LOBBY, OPS } from '../../lifecycle/support/homeserver.ts';
import { memoryTransactions } from '../support/memory-transactions.ts';
import { pair } from './ipc-pair.ts';
import { fakeTimers } from '../../support/fake-timers.ts';
import { isPending, settled } from '../../support/wait.ts';

async function given(fields: Parameters<Service['mint']>[0] = {}) {
  const service = await Service.start();
  const grant = await service.mint(fields);
  await service.drain();
  const token = service.tokensSeen()[0]?.token ?? '';
  const own = createAccessControl(service.services);
  const transactions = memoryTransactions();
  const means = { access: own, ledger: service.ledger, transactions };
  const both = pair(means, service.clock.now);
  return {
    ...both,
    means,
    service,
    grant,
    token,
    transactions,
    [Symbol.asyncDispose]: async () => {
      both[Symbol.dispose]();
      own.close();
      await service[Symbol.asyncDispose]();
    },
  };
}

describe('a pipe in which updates lie unread', () => {
  it('admits no request by what was true before them: the shared revision has gone up', async () => {
    await using stage = await given();
    const { access, token, service, grant } = stage;
    expect((await access.verifyToken(token)).kind).toBe('valid');
    stage.hold();
    await service.revoke(grant);
    const asked = Promise.resolve(access.verifyToken(token));
    expect(await isPending(asked)).toBe(true);
    stage.flow();
    expect((await asked).kind).toBe('invalid');
  });

  it('gives out no upstream token that was fetched before them', async () => {
    await using stage = await given();
    const { access, token, service, grant } = stage;
    await access.verifyToken(token);
    await access.upstreamToken(grant.id);
    stage.hold();
    await service.revoke(grant);
    const asked = Promise.resolve(access.upstreamToken(grant.id));
    asked.catch(() => undefined);
    expect(await isPending(asked)).toBe(true);
    stage.flow();
    await expect(asked).rejects.toMatchObject({ code: 'not-allowed' });
  });

  it('makes nobody wait for ever: a silent process is given up', async () => {
    using timers = fakeTimers();
    await using stage = await given();
    const { access, token, service, grant } = stage;
    await access.verifyToken(token);
    stage.hold();
    await service.revoke(grant);
    const asked = Promise.resolve(access.verifyToken(token));
    asked.catch(() => undefined);
    await timers.pass(3_000);
    await expect(asked).rejects.toMatchObject({ code: 'state' });
  });

  it('leaves what is known good for one second', async () => {
    using timers = fakeTimers();
    await using stage = await given();
    const { access, token } = stage;
    await access.verifyToken(token);
    stage.hold();
    expect((await access.verifyToken(token)).kind).toBe('valid');
    await timers.pass(1_050);
    const asked = access.verifyToken(token);
    expect(asked).toBeInstanceOf(Promise);
    Promise.resolve(asked).catch(() => undefined);
    await timers.pass(1_000);
    await expect(Promise.resolve(asked)).rejects.toMatchObject({ code: 'state' });
  });
});

describe('a grant that ended', () => {
  it('is refused without asking the bot, which may be busy with the end', async () => {
    await using stage = await given();
    const { access, token, service, grant, asked } = stage;
    await access.verifyToken(token);
    await service.revoke(grant);
    await turn();
    const before = asked.length;
    for (let times = 0; times < 3; times++)
      expect(access.verifyToken(token)).toEqual({ kind: 'invalid', grantId: grant.id });
    expect(access.verifyToken(newToken(grant.id, randomBytes))).toEqual({ kind: 'invalid', grantId: null });
    expect(asked.length).toBe(before);
  });
});

describe('a result that a commit overtakes', () => {
  it('is looked up again before it is sent', async () => {
    await using stage = await given();
    const { access, token, service, grant, means } = stage;
    // Judged good; before that is told the grant ends.
    const judge = means.access;
    const overtaken = { ...judge };
    let times = 0;
    overtaken.verifyToken = async (shown: string): Promise<TokenVerification> => {
      const presented = await judge.verifyToken(shown);
      if (++times === 1) await service.revoke(grant);
      return presented;
    };
    using other = pair({ ...means, access: overtaken }, service.clock.now);
    expect((await other.access.verifyToken(token)).kind).toBe('invalid');
    expect((await access.verifyToken(token)).kind).toBe('invalid');
  });

  it('does not undo the update', async () => {
    await using stage = await given({ rooms: 'all' });
    const { access, token, service } = stage;
    const first = Promise.resolve(access.verifyToken(token));
    await turn();
    await service.ledger.commit({
      at: 1,
      excluded: [{ roomId: LOBBY, why: 'server-notices', userId: null }],
    } as never);
    const presented = await first;
    expect(presented.kind === 'valid' && [...presented.access.rooms]).toEqual([OPS]);
  });
});

describe('a process that was taken over', () => {
  const KEY = (grantId: GrantId) => ({ grantId, roomId: OPS, action: 'm.room.message', txnId: 'one' });

  it('gets nothing of grants whose token it has not shown', async () => {
    await using stage = await given();
    const { access, grant, client, transactions } = stage;
    const refused = { code: 'not-allowed' };
    await expect(Promise.resolve(access.upstreamToken(grant.id))).rejects.toMatchObject(refused);
    await expect(access.replaceUpstreamToken(grant.id, 'l' as LeaseId)).rejects.toMatchObject(refused);
    await expect(access.refreshRooms(grant.id)).rejects.toMatchObject(refused);
    await expect(access.withdraw(grant.id)).rejects.toMatchObject(refused);
    await expect(access.countUse(grant.id)).rejects.toMatchObject(refused);
    await expect(access.finishUse(grant.id)).rejects.toMatchObject(refused);
    await expect(access.usesLeft(grant.id)).rejects.toMatchObject(refused);
    await expect(Promise.resolve(remoteRateLimiters(client).writes.take(grant.id))).rejects.toMatchObject(
      refused,
    );
    const borrow = { limit: 'slots', grantId: grant.id, count: 1 } as const;
    const ignore = (): void => undefined;
    await expect(client.call('borrow', borrow, ignore)).rejects.toMatchObject(refused);
    await expect(client.call('giveBack', borrow, ignore)).rejects.toMatchObject(refused);
    await expect(client.call('charge', borrow, ignore)).rejects.toMatchObject(refused);
    const remote = remoteTransactions(client);
    const begun = { ...KEY(grant.id), digest: '', leaseId: 'l' as LeaseId, begunAt: 1 };
    await transactions.begin(begun);
    await expect(remote.find(KEY(grant.id))).rejects.toMatchObject(refused);
    await expect(remote.begin({ ...begun, txnId: 'two' })).rejects.toMatchObject(refused);
    await expect(remote.resume(begun, 'm' as LeaseId)).rejects.toMatchObject(refused);
    await expect(remote.sent(begun, '$event' as EventId)).rejects.toMatchObject(refused);
    await expect(remote.unsent(begun)).rejects.toMatchObject(refused);
    expect([...transactions.rows.values()]).toEqual([{ ...begun, eventId: null }]);
    expect((await stage.service.grant(grant.id)).state).toBe('live');
  });

  it('gets an error for malformed calls, and the bot keeps running', async () => {
    await using stage = await given();
    const answers: unknown[] = [];
    const connection = stage.server.connect((message) => void answers.push(message));
    const odd: unknown[] = [
      undefined,
      null,
      {},
      { kind: '__proto__' },
      { kind: 'constructor' },
      { kind: 'toString' },
      { kind: 'find' },
      { kind: 'present' },
    ];
    for (const [id, ask] of odd.entries()) await connection.handle(id, ask as never);
    expect(answers.slice(0, -1)).toEqual(
      odd.slice(0, -1).map((_, id) => ({
        type: 'error',
        id,
        error: expect.objectContaining({ next: null }) as unknown,
      })),
    );
    expect(answers.at(-1)).toEqual({
      type: 'result',
      id: odd.length - 1,
      result: { kind: 'invalid', grantId: null },
    });
  });

  it('cannot prove a grant with a wrong secret', async () => {
    await using stage = await given();
    const { access, grant } = stage;
    await access.verifyToken(newToken(grant.id, randomBytes));
    await expect(Promise.resolve(access.upstreamToken(grant.id))).rejects.toMatchObject({
      code: 'not-allowed',
    });
  });
});

describe('shared by all processes', () => {
  it('is the write rate', async () => {
    await using stage = await given();
    const { means, service, token, grant } = stage;
    const limiter = tokenBucket(0.1, 5, service.clock.now);
    const shared = { ...means, rateLimiters: { writes: limiter, personal: limiter } };
    using one = pair(shared, service.clock.now);
    await one.access.verifyToken(token);
    const takes = [];
    for (let times = 0; times < 4; times++)
      takes.push(await remoteRateLimiters(one.client).writes.take(grant.id));
    limiter.take(grant.id);
    takes.push(await remoteRateLimiters(one.client).writes.take(grant.id));
    expect(takes.slice(0, 4)).toEqual([0, 0, 0, 0]);
    expect(takes[4]).toBeGreaterThan(0);
  });

  it('are transactions', async () => {
    await using stage = await given();
    const { access, client, token, grant, transactions } = stage;
    await access.verifyToken(token);
    const remote = remoteTransactions(client);
    const key = { grantId: grant.id, roomId: OPS, action: 'm.room.message', txnId: 'one' };
    const begun = { ...key, digest: 'd', leaseId: 'l' as LeaseId, begunAt: 1 };
    expect(await remote.find(key)).toBeNull();
    expect([await remote.begin(begun), await remote.begin(begun)]).toEqual([true, false]);
    await remote.sent(key, '$event' as EventId);
    expect(await remote.find(key)).toEqual({ ...begun, eventId: '$event' });
    expect(await transactions.find(key)).toEqual({ ...begun, eventId: '$event' });
  });

  it('is the count of uses, and what a process that ends had under way is over', async () => {
    await using stage = await given();
    const { means, service, token, grant } = stage;
    const calls: string[] = [];
    const counting = {
      ...means,
      access: {
        ...means.access,
        countUse: async () => (calls.push('use'), true),
        finishUse: async () => void calls.push('over'),
      },
    };
    using one = pair(counting, service.clock.now);
    await one.access.verifyToken(token);
    await one.access.countUse(grant.id);
    await one.access.countUse(grant.id);
    await one.access.finishUse(grant.id);
    expect(calls).toEqual(['use', 'use', 'over']);
    one.leave();
    expect(calls).toEqual(['use', 'use', 'over', 'over']);
  });
});

describe('the pipe', () => {
  it('is used once for many requests at the same time, and for rooms only when they changed', async () => {
    using timers = fakeTimers();
    await using stage = await given({ rooms: 'all' });
    const { access, token, asked } = stage;
    await Promise.all(Array.from({ length: 50 }, async () => access.verifyToken(token)));
    expect(asked).toHaveLength(1);
    const version = 1;
    await timers.pass(1_050);
    await access.verifyToken(token);
    expect(asked.slice(1)).toEqual([{ kind: 'present', token, have: version }]);
  });

  it('does not carry the message of an unexpected error', async () => {
    await using stage = await given();
    const { means, service, token } = stage;
    const failing = {
      ...means,
      access: { ...means.access, verifyToken: () => Promise.reject(new Error(`cannot judge ${token}`)) },
    };
    using one = pair(failing, service.clock.now);
    const error: unknown = await Promise.resolve(one.access.verifyToken(token)).then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: 'internal' });
    expect(String(error)).not.toContain(token);
  });
});

it('the shared revision has no name that it could be opened by', async () => {
  await using stage = await given();
  const folder = process.env['TMPDIR'] ?? '/tmp';
  const named = readdirSync(folder)
    .filter((name) => name.startsWith('mintwarden-revision-'))
    .flatMap((name) => readdirSync(`${folder}/${name}`));
  expect(named).toEqual([]);
  expect(stage.revision.current).toBe(0);
});

describe('a file that a grant uploaded through one process', () => {
  it('is known in the others, and that is no news of a grant never shown', async () => {
    await using stage = await given();
    const { means, service, token, grant, client, access } = stage;
    using other = pair(means, service.clock.now);
    const address = mediaAddress('hs.test', 'abc');
    if (address === null) throw new Error('no address');
    const [here, stranger] = [sharedOwnMedia(client), sharedOwnMedia(other.client)];
    const heard: unknown[] = [];
    stage.server.connect((message) => void (message.type === 'own-media' && heard.push(message)));
    stranger.uploaded(grant.id, address);
    await settled();
    expect(heard).toEqual([]);
    await access.verifyToken(token);
    here.created(grant.id, address);
    expect(here.mayFill(grant.id, address)).toBe(true);
    here.uploaded(grant.id, address);
    expect([here.mayFill(grant.id, address), here.mayFetch(grant.id, address)]).toEqual([false, true]);
    await settled();
    expect(heard).toMatchObject([{ as: 'created' }, { as: 'uploaded', grantId: grant.id, address }]);
    expect(stranger.mayFill(grant.id, address)).toBe(false);
    stranger.receive({ grantId: grant.id, address, as: 'created' });
    expect(stranger.mayFill(grant.id, address)).toBe(true);
  });
});
