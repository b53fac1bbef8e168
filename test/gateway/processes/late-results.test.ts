import { expect, it } from 'vitest';
import { createBorrowedLimit } from '../../../src/gateway/processes/borrowed-limit.ts';
import { createAccessControl } from '../../../src/lifecycle/access/access.ts';
import { Service } from '../../lifecycle/support/harness.ts';
import { fakeTimers } from '../../support/fake-timers.ts';
import { settled } from '../../support/wait.ts';
import { memoryTransactions } from '../support/memory-transactions.ts';
import { pair } from './ipc-pair.ts';

// The bot's process was held up, the call was given up, and then it is answered after all: what was done there was
// done.

const MOST = 64;

async function given(fields: Parameters<Service['mint']>[0] = {}) {
  const service = await Service.start();
  const grant = await service.mint(fields);
  await service.drain();
  const own = createAccessControl(service.services);
  const means = { access: own, ledger: service.ledger, transactions: memoryTransactions() };
  const both = pair(means, service.clock.now);
  await both.access.verifyToken(service.tokensSeen()[0]?.token ?? '');
  return {
    ...both,
    service,
    grant,
    [Symbol.asyncDispose]: async () => {
      both[Symbol.dispose]();
      own.close();
      await service[Symbol.asyncDispose]();
    },
  };
}

it('slots that are lent too late are not lost', async () => {
  using timers = fakeTimers();
  await using stage = await given();
  const limit = createBorrowedLimit(stage.client, 'slots', 2);
  stage.hold();
  const early = Promise.resolve(limit.take(stage.grant.id));
  early.catch(() => undefined);
  await timers.pass(3_000);
  await expect(early).rejects.toMatchObject({ code: 'state' });
  stage.flow();
  await settled();
  const taken = Array.from({ length: MOST }, async () => limit.take(stage.grant.id));
  await timers.pass(10);
  expect((await Promise.all(taken)).filter((waitMs) => waitMs === 0)).toHaveLength(MOST);
  limit.close();
});

it('a use that is counted too late does not keep the grant from ending with its last one', async () => {
  using timers = fakeTimers();
  await using stage = await given({ limits: { uses: 1 } });
  stage.hold();
  const counted = stage.access.countUse(stage.grant.id);
  counted.catch(() => undefined);
  await timers.pass(3_000);
  await expect(counted).rejects.toMatchObject({ code: 'state' });
  stage.flow();
  await settled();
  expect((await stage.service.ledger.grant(stage.grant.id))?.endCause).toBe('used-up');
});
