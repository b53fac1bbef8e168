import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  markDelivered,
  markEnded,
  markFailed,
  type Grant,
  markLive,
  effectiveState,
  markSuspended,
} from '../../src/domain/grant.ts';
import { mayBeAlive } from '../../src/domain/lease.ts';
import { ADMIN, ALICE, NOON, sampleGrant, sampleLease } from '../contract/sample.ts';

const minting = sampleGrant({ id: 'AAAAA1', sealedToken: 'sealed', nextActionAt: NOON + 5 });
const live = markLive(minting);

type Step = (grant: Grant) => Grant;
const steps: readonly Step[] = [
  markLive,
  markDelivered,
  (grant) => markSuspended(grant, true),
  (grant) => markSuspended(grant, false),
  (grant) => markEnded(grant, 'revoked', ADMIN, NOON + 1),
  (grant) => markFailed(grant, 'no', NOON + 1),
];
const walk = fc.array(fc.constantFrom(...steps), { maxLength: 8 });

describe('effectiveState', () => {
  it('is good only while live and before the expiry, to the millisecond', () => {
    expect(effectiveState(minting, NOON)).toBe('inactive');
    expect(effectiveState(live, NOON)).toBe('active');
    expect(effectiveState(live, live.expiresAt - 1)).toBe('active');
    expect(effectiveState(live, live.expiresAt)).toBe('inactive');
    expect(effectiveState(live, live.expiresAt + 1)).toBe('inactive');
    expect(effectiveState(markSuspended(live, true), NOON)).toBe('suspended');
    expect(effectiveState(markSuspended(live, true), live.expiresAt)).toBe('inactive');
    expect(effectiveState(markSuspended(markSuspended(live, true), false), NOON)).toBe('active');
    expect(effectiveState(markFailed(minting, 'no', NOON), NOON)).toBe('inactive');
  });

  it('is over from the moment a grant ends, for every cause and at every time', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('expired', 'revoked', 'withdrawn', 'untold', 'lost-upstream'),
        fc.integer(),
        (cause, now) => {
          expect(effectiveState(markEnded(live, cause, 'system', NOON), now)).toBe('inactive');
        },
      ),
    );
  });

  it('refuses a state it does not know, rather than calling it good', () => {
    expect(() => effectiveState({ ...live, state: 'eternal' as never }, NOON)).toThrow(
      expect.objectContaining({ code: 'internal' }),
    );
  });
});

describe('every transition', () => {
  it('counts the revision by one and leaves what is pinned at mint alone', () => {
    fc.assert(
      fc.property(walk, (path) => {
        const last = path.reduce((grant, step) => step(grant), minting);
        expect(last.revision).toBe(1 + path.length);
        const pinned = ({
          id,
          subject,
          minter,
          recipient,
          scope,
          rooms,
          reason,
          ttlMs,
          createdAt,
          expiresAt,
          tokenHash,
          command,
        }: Grant) => ({
          id,
          subject,
          minter,
          recipient,
          scope,
          rooms,
          reason,
          ttlMs,
          createdAt,
          expiresAt,
          tokenHash,
          command,
        });
        expect(pinned(last)).toEqual(pinned(minting));
      }),
    );
  });

  it('never brings a sealed token back once it was erased', () => {
    fc.assert(
      fc.property(walk, (path) => {
        let grant = minting;
        for (const step of path) {
          const next = step(grant);
          if (grant.sealedToken === null) expect(next.sealedToken).toBeNull();
          grant = next;
        }
      }),
    );
  });

  it('leaves the one it came from as it was', () => {
    const before = structuredClone(minting);
    for (const step of steps) step(minting);
    expect(minting).toEqual(before);
  });
});

describe('a grant', () => {
  it('made live is looked at again at its expiry', () => {
    expect(live).toMatchObject({ state: 'live', nextActionAt: live.expiresAt, sealedToken: 'sealed' });
  });

  it('that ends erases the sealed token, keeps who and why, and asks for nothing more', () => {
    expect(markEnded(live, 'ended-by-subject', ALICE, NOON + 7)).toMatchObject({
      state: 'ended',
      endedAt: NOON + 7,
      endedBy: ALICE,
      endCause: 'ended-by-subject',
      sealedToken: null,
      delivery: 'cancelled',
      nextActionAt: null,
    });
  });

  it('that was delivered stays so when it ends', () => {
    expect(markDelivered(live)).toMatchObject({ delivery: 'sent', sealedToken: null, state: 'live' });
    expect(markEnded(markDelivered(live), 'expired', 'system', NOON).delivery).toBe('sent');
  });

  it('that failed says why and keeps no token', () => {
    expect(markFailed(minting, 'no such user', NOON + 1)).toMatchObject({
      state: 'failed',
      failure: 'no such user',
      endedAt: NOON + 1,
      sealedToken: null,
      delivery: 'cancelled',
      nextActionAt: null,
    });
  });
});

describe('a lease', () => {
  it('may be alive until the homeserver ends it, unless it is known to be dead', () => {
    for (const state of ['asking', 'alive', 'killing', 'orphan', 'unkillable'] as const) {
      const lease = sampleLease({ id: 'l', grantId: minting.id, state });
      expect(mayBeAlive(lease, lease.validUntil - 1)).toBe(true);
      expect(mayBeAlive(lease, lease.validUntil)).toBe(false);
    }
    expect(mayBeAlive(sampleLease({ id: 'l', grantId: minting.id, state: 'dead' }), NOON)).toBe(false);
  });
});
