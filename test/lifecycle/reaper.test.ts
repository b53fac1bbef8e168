import { describe, expect, it, vi } from 'vitest';
import { startReaper } from '../../src/lifecycle/scheduler/reaper.ts';
import { Service } from './support/harness.ts';
import { fakeTimers } from '../support/fake-timers.ts';

describe('the reaper', () => {
  it('wakes with each commit, and does what is due', async () => {
    await using service = await Service.start();
    const reaper = startReaper(service.services);
    const grant = await service.mint();
    await vi.waitFor(async () => expect((await service.grant(grant.id)).delivery).toBe('sent'), 2_000);
    await service.revoke(grant);
    await vi.waitFor(() => expect(service.homeserver.alive()).toEqual([]), 2_000);
    await reaper.stop();
    expect(reaper.lastRunAt()).toBe(service.clock.at);
  });

  it('ends a grant when its time comes, by the clock', async () => {
    await using service = await Service.start();
    const real = Date.now() - service.clock.at;
    service.services.clock.now = () => Date.now() - real;
    const reaper = startReaper(service.services);
    const grant = await service.mint({ ttlMs: 300 });
    await vi.waitFor(async () => expect((await service.grant(grant.id)).endCause).toBe('expired'), 2_000);
    await reaper.stop();
  });

  it('goes on when the ledger fails for a while, and when one row always does', async () => {
    await using service = await Service.start();
    const { homeserver } = service;
    const bad = await service.mint();
    const due = service.ledger.due.bind(service.ledger);
    let failures = 2;
    service.ledger.due = (now, limit) =>
      failures-- > 0 ? Promise.reject(new Error('disk')) : due(now, limit);
    const commit = service.ledger.commit.bind(service.ledger);
    service.ledger.commit = (change) =>
      (change.messages ?? []).some((row) => row.grantId === bad.id)
        ? Promise.reject(new Error('this row is cursed'))
        : commit(change);
    using timers = fakeTimers();
    const reaper = startReaper(service.services);
    const other = await service.mint({ subject: addBob(service) });
    await vi.waitFor(async () => expect((await service.ledger.leases(other.id)).length).toBe(1), 2_000);
    await service.revoke(other);
    await vi.waitFor(
      async () => expect((await service.ledger.leases(other.id))[0]?.state).toBe('dead'),
      6_000,
    );
    const looks = homeserver.calls.length;
    await timers.pass(300);
    expect(homeserver.calls.length - looks, 'a cursed row must not be tried in a loop').toBeLessThan(20);
    await reaper.stop();
  });
});

function addBob(service: Service) {
  const bob = '@bob:example.org' as never;
  service.homeserver.addPerson(bob);
  return bob;
}
