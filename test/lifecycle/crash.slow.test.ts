import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MintwardenError } from '../../src/domain/errors.ts';
import type { Grant } from '../../src/domain/grant.ts';
import { deliverWaitingTo } from '../../src/lifecycle/notifications/deliver.ts';
import { watchSubjectsOnce } from '../../src/lifecycle/subjects/watch-subjects.ts';
import { Service } from './support/harness.ts';
import { ADMIN, ALICE, CONTROL, type Fault } from './support/homeserver.ts';

const HOUR = 3_600_000;
const FAULTY = ['issue', 'kill', 'send', 'open-dm', 'keys', 'subject', 'redact', 'find'];

type Step =
  | { readonly kind: 'mint'; readonly ttlMs: number }
  | { readonly kind: 'race' }
  | { readonly kind: 'revoke'; readonly which: number }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'die'; readonly steps: number }
  | { readonly kind: 'faults'; readonly faults: readonly (Fault | null)[] }
  | { readonly kind: 'join'; readonly joins: boolean }
  | { readonly kind: 'forget' }
  | { readonly kind: 'lock'; readonly on: boolean };

const fault = fc.option(fc.constantFrom<Fault>('lost', 'unanswered', 'refused'));
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('mint' as const), ttlMs: fc.constantFrom(60_000, HOUR) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('race' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('revoke' as const), which: fc.nat(5) }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(0, 2_000, 60_000, HOUR) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('die' as const), steps: fc.integer({ min: 1, max: 60 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('faults' as const),
      faults: fc.array(fault, { maxLength: 12 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('join' as const), joins: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('forget' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('lock' as const), on: fc.boolean() }) },
);

/**
 * Runs a command as the bot would: errors for people are answers, everything else is a bug. Ends when the
 * process does.
 */
async function tried(service: Service, work: Promise<unknown>): Promise<void> {
  const answered = work.catch((error: unknown) => {
    if (!(error instanceof MintwardenError)) throw error;
  });
  await Promise.race([answered, service.gate.died]);
  if (service.gate.isDead()) await service.restart();
}

/** Revokes the newest grant as soon as it is there, at whatever point of its mint that is. */
async function revokeWhileMinting(service: Service): Promise<void> {
  for (let looks = 0; looks < 20; looks++) {
    const [minting] = await service.ledger.grants({ states: ['minting'], limit: 1 });
    if (minting !== undefined) return service.revoke(minting);
    await setImmediate();
  }
}

async function perform(service: Service, step: Step): Promise<void> {
  const { homeserver } = service;
  switch (step.kind) {
    case 'mint': {
      // The command and the reaper at the same time, as in life.
      const minting = service.mint({ ttlMs: step.ttlMs });
      return tried(service, Promise.all([minting, service.drain()]));
    }
    case 'race':
      return tried(service, Promise.all([service.mint(), service.drain(), revokeWhileMinting(service)]));
    case 'revoke': {
      const grants = await service.ledger.grants({ limit: 10 });
      const grant = grants[step.which];
      if (grant === undefined) return;
      return tried(service, Promise.all([service.revoke(grant), service.drain()]));
    }
    case 'pass':
      return tried(service, service.pass(step.ms));
    case 'die':
      service.gate.dieIn(step.steps);
      return;
    case 'faults': {
      const queue = [...step.faults];
      homeserver.fault = (call) => (FAULTY.includes(call) ? (queue.shift() ?? null) : null);
      return;
    }
    case 'join': {
      homeserver.autoJoin = step.joins;
      const dm = homeserver.dms.get(ADMIN);
      if (dm !== undefined) homeserver.dms.set(ADMIN, { ...dm, membership: step.joins ? 'join' : 'leave' });
      if (step.joins) await tried(service, deliverWaitingTo(service.services, ADMIN));
      return;
    }
    case 'forget':
      service.gate.die();
      await homeserver.arrived();
      homeserver.forgetTransactions();
      homeserver.deviceId = `BOT${homeserver.events.length}`;
      return service.restart();
    case 'lock':
      homeserver.change(ALICE, { locked: step.on });
      return tried(service, watchSubjectsOnce(service.services));
  }
}

async function checkAlways(service: Service): Promise<void> {
  const { homeserver } = service;
  const markers = homeserver.events.map((event) => `${event.roomId} ${event.marker}`);
  expect(new Set(markers).size, 'no message twice in a room').toBe(markers.length);
  const grants = await service.ledger.grants({ limit: 100 });
  const leases = (await Promise.all(grants.map((grant) => service.ledger.leases(grant.id)))).flat();
  expect(homeserver.tokens.size, 'no upstream token without a record').toBeLessThanOrEqual(leases.length);
  for (const grant of grants) await checkGrant(service, grant);
  expect(await service.auditFault()).toBeNull();
}

async function checkGrant(service: Service, grant: Grant): Promise<void> {
  const { homeserver } = service;
  if (grant.state !== 'live' && grant.state !== 'minting')
    expect(grant.sealedToken, 'sealed token of a grant that is over').toBeNull();
  if (grant.delivery === 'sent') expect(grant.sealedToken, 'sealed token after delivery').toBeNull();
  if (grant.state === 'ended' || grant.state === 'failed') {
    const leases = await service.ledger.leases(grant.id);
    expect(
      leases.map((lease) => lease.state),
      'an upstream token left to a grant that is over',
    ).not.toContain('alive');
  }
  const messages = await service.ledger.messages(grant.id);
  const place = (kind: string) => {
    const row = messages.find((message) => message.body.kind === kind);
    return homeserver.events.findIndex((event) => event.marker === row?.id);
  };
  const token = place('token');
  if (token === -1) return;
  const notice = place('notice');
  expect(notice, 'a token without a notice').not.toBe(-1);
  expect(notice, 'the notice before the token').toBeLessThan(token);
  expect(messages.find((message) => message.body.kind === 'notice')?.state).toBe('accepted');
}

async function checkAtRest(service: Service): Promise<void> {
  const { homeserver } = service;
  const grants = await service.ledger.grants({ limit: 100 });
  expect(homeserver.alive(), 'upstream tokens alive at the end of all time').toEqual([]);
  for (const grant of grants) {
    expect(['ended', 'failed']).toContain(grant.state);
    for (const lease of await service.ledger.leases(grant.id)) {
      expect(['dead', 'unkillable']).toContain(lease.state);
      expect(lease.sealed).toBeNull();
    }
    for (const message of await service.ledger.messages(grant.id)) {
      expect(`${message.body.kind} ${message.state}`).not.toMatch(/waiting$/);
      if (message.body.kind === 'token' && message.state === 'accepted')
        expect(message.redactedAt).not.toBeNull();
    }
  }
  expect(
    homeserver.events.filter((event) => /mwt_/.test(event.content.body) && !event.redacted),
    'tokens left in rooms',
  ).toEqual([]);
  expect(
    homeserver.sentTo(CONTROL).some((event) => /mwt_[0-9A-Z]/.test(event.content.body)),
    'a token in the control room',
  ).toBe(false);
}

describe('whatever fails and whenever the process dies', () => {
  it('nothing is sent twice, told late, lost, left alive or kept', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 14 }), async (steps) => {
        await using service = await Service.start();
        const { calls } = service.homeserver;
        service.homeserver.during = async () => {
          for (let turns = (calls.length * 7) % 5; turns > 0; turns--) await setImmediate();
        };
        for (const one of steps) {
          await perform(service, one);
          await checkAlways(service);
        }
        service.homeserver.fault = () => null;
        service.homeserver.change(ALICE, { locked: false });
        await service.restart();
        await service.pass(8 * 24 * HOUR, HOUR);
        await checkAlways(service);
        await checkAtRest(service);
      }),
      { numRuns: Number(process.env['CRASH_RUNS'] ?? 80) },
    );
  });
});
