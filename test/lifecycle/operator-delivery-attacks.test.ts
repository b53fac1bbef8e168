import { expect, test } from 'vitest';
import { requestKey } from '../../src/domain/change.ts';
import type { Operator } from '../../src/domain/ids.ts';
import { deliverToOperator } from '../../src/lifecycle/notifications/operator-delivery.ts';
import { Service } from './support/harness.ts';

const ROOT: Operator = 'operator:root';

async function waiting() {
  const service = await Service.start();
  const grant = await service.mint({
    minter: ROOT,
    intoFile: true,
    command: requestKey('a-request', ROOT, service.clock.at),
  });
  await service.drain();
  return { service, grant };
}

test('of two who ask for a token at once, one has it', async () => {
  const { service, grant } = await waiting();
  await using _service = service;
  const got: string[] = [];
  const writing = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const first = deliverToOperator(
    service.services,
    grant.id,
    ROOT,
    async (token) => {
      got.push(token);
      begun.resolve();
      await writing.promise;
    },
    50,
  );
  await begun.promise;
  await expect(
    deliverToOperator(service.services, grant.id, ROOT, async (token) => void got.push(token), 50),
  ).rejects.toThrow(/just now/);
  writing.resolve();
  expect(await first).toMatchObject({ delivery: 'sent' });
  await expect(
    deliverToOperator(service.services, grant.id, ROOT, async (token) => void got.push(token), 50),
  ).rejects.toThrow(/taken before/);
  expect(got).toHaveLength(1);
});

test('nothing is handed over while the state is an old copy, found while the operator waited for the notice', async () => {
  const { service, grant } = await waiting();
  await using _service = service;
  Object.assign(service.services, { lockdown: () => ({ kind: 'old-copy' }) });
  const got: string[] = [];
  await expect(
    deliverToOperator(service.services, grant.id, ROOT, async (token) => void got.push(token), 50),
  ).rejects.toMatchObject({ code: 'not-allowed' });
  expect(got).toEqual([]);
  expect(await service.grant(grant.id)).toMatchObject({ delivery: 'waiting' });
});
