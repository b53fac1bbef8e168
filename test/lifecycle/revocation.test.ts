import { describe, expect, it } from 'vitest';
import type { RoomId, UserId } from '../../src/domain/ids.ts';
import { endAutomatically } from '../../src/lifecycle/revocation/end-grant.ts';
import { mint } from '../../src/lifecycle/mint/mint.ts';
import { revoke } from '../../src/lifecycle/revocation/revoke.ts';
import { Service } from './support/harness.ts';
import { ADMIN, ALICE, CONTROL } from './support/homeserver.ts';

const HOUR = 3_600_000;

describe('a revocation', () => {
  it('ends the grant, logs the upstream token out, redacts the message, tells both', async () => {
    await using service = await Service.start();
    const { homeserver } = service;
    const minted = await service.mint();
    await service.drain();
    await service.revoke(minted);
    expect(await service.grant(minted.id)).toMatchObject({
      state: 'ended',
      endCause: 'revoked',
      endedBy: ADMIN,
    });
    await service.drain();
    expect(homeserver.alive()).toEqual([]);
    expect((await service.ledger.leases(minted.id))[0]).toMatchObject({ state: 'dead' });
    expect(service.tokensSeen()).toEqual([{ token: expect.any(String), redacted: true }]);
    expect(await service.messageOf(minted.id, 'ended-notice')).toMatchObject({
      state: 'accepted',
      to: { userId: ALICE },
    });
    expect(await service.messageOf(minted.id, 'revoked')).toMatchObject({ state: 'accepted' });
    expect(homeserver.sentTo(CONTROL)).toHaveLength(2);
  });

  it('before delivery means that the token is never sent, and the subject is not told of the end of what they never heard of', async () => {
    await using service = await Service.start();
    const { homeserver } = service;
    const minted = await service.mint();
    await service.revoke(minted);
    await service.pass(2 * HOUR);
    expect(service.tokensSeen()).toEqual([]);
    expect(homeserver.dms.has(ALICE)).toBe(false);
    expect(await service.messageOf(minted.id, 'notice')).toMatchObject({ state: 'abandoned' });
    expect(await service.messageOf(minted.id, 'ended-notice')).toBeUndefined();
    expect((await service.grant(minted.id)).sealedToken).toBeNull();
  });

  it('while the notice may have arrived already is told to the subject after it', async () => {
    await using service = await Service.start();
    const { homeserver } = service;
    const minted = await service.mint();
    homeserver.fault = (call) => (call === 'send' ? 'unanswered' : null);
    await service.drain();
    expect(await service.messageOf(minted.id, 'notice')).toMatchObject({
      state: 'waiting',
      firstTriedAt: expect.any(Number),
    });
    await service.revoke(minted);
    homeserver.fault = () => null;
    await service.pass(5 * 60_000);
    const [notice, end, ...more] = homeserver.sentTo('!dm-alice:example.org' as RoomId);
    expect(more).toEqual([]);
    expect(notice?.content.body).toMatch(/made an access token/);
    expect(end?.content.body).toMatch(/ended|no longer/i);
    expect(service.tokensSeen()).toEqual([]);
  });

  it('between the notice and the token stops the token and tells the subject', async () => {
    await using service = await Service.start();
    const { homeserver } = service;
    const minted = await service.mint();
    homeserver.during = async (call) => {
      const { noticed } = { noticed: (await service.messageOf(minted.id, 'notice'))?.state === 'accepted' };
      if (call !== 'open-dm' || !noticed || (await service.grant(minted.id)).state !== 'live') return;
      await service.revoke(minted);
    };
    await service.drain();
    expect(service.tokensSeen()).toEqual([]);
    expect(await service.messageOf(minted.id, 'ended-notice')).toMatchObject({ state: 'accepted' });
  });

  it('while the token is being sent takes it back from the room', async () => {
    await using service = await Service.start();
    const { homeserver } = service;
    const minted = await service.mint();
    homeserver.during = async (call) => {
      const token = await service.messageOf(minted.id, 'token');
      if (call === 'send' && token?.firstTriedAt !== null && token?.state === 'waiting')
        await service.revoke(minted);
    };
    await service.pass(120_000);
    expect(service.tokensSeen()).toEqual([{ token: expect.any(String), redacted: true }]);
    expect(homeserver.alive()).toEqual([]);
    expect((await service.grant(minted.id)).sealedToken).toBeNull();
  });

  it('while the token was being sent by a process that died finds and redacts it', async () => {
    await using service = await Service.start();
    const { homeserver } = service;
    const minted = await service.mint();
    homeserver.during = async (call) => {
      const token = await service.messageOf(minted.id, 'token');
      if (call === 'send' && token?.state === 'waiting' && token.firstTriedAt !== null) service.gate.die();
    };
    await service.drain();
    homeserver.during = async () => undefined;
    await service.restart();
    await service.revoke(minted);
    expect(service.tokensSeen()).toMatchObject([{ redacted: false }]);
    await service.pass(120_000);
    expect(service.tokensSeen()).toMatchObject([{ redacted: true }]);
  });

  it('while the homeserver is still being asked kills the answer at once', async () => {
    await using service = await Service.start();
    const { homeserver } = service;
    homeserver.during = async (call) => {
      if (call !== 'issue') return;
      const [minting] = await service.ledger.grants({ states: ['minting'], limit: 1 });
      if (minting !== undefined) await service.revoke(minting);
    };
    const minted = await service.mint();
    homeserver.during = async () => undefined;
    expect(minted.state).toBe('ended');
    expect((await service.ledger.leases(minted.id))[0]?.state).toBe('killing');
    await service.drain();
    expect(homeserver.tokens.size).toBe(1);
    expect(homeserver.alive()).toEqual([]);
    expect(service.tokensSeen()).toEqual([]);
    expect(await service.messageOf(minted.id, 'minted')).toBeUndefined();
  });

  it('of what is over already says when and how it ended', async () => {
    await using service = await Service.start();
    const minted = await service.mint();
    await service.revoke(minted);
    await expect(service.revoke(minted)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/revoked at 12:00 UTC \(by @admin/),
    });
  });

  it('of one command given twice is done once', async () => {
    await using service = await Service.start();
    const minted = await service.mint();
    const command = service.command();
    const request = { grant: minted, by: ADMIN, as: 'admin', command } as const;
    expect((await revoke(service.services, request)).kind).toBe('begun');
    expect(await revoke(service.services, request)).toEqual({ kind: 'seen' });
  });

  it('by a subject works on their own grants alone', async () => {
    await using service = await Service.start();
    const minted = await service.mint();
    await service.drain();
    const mallory = '@mallory:example.org' as UserId;
    await expect(
      revoke(service.services, { grant: minted, by: mallory, as: 'subject', command: null }),
    ).rejects.toMatchObject({
      code: 'not-found',
    });
    expect((await service.grant(minted.id)).state).toBe('live');
    await revoke(service.services, { grant: minted, by: ALICE, as: 'subject', command: service.command() });
    await service.drain();
    expect(await service.grant(minted.id)).toMatchObject({ endCause: 'ended-by-subject', endedBy: ALICE });
    expect(await service.messageOf(minted.id, 'revoked-by-subject')).toMatchObject({
      state: 'accepted',
      to: { kind: 'dm', userId: ALICE },
    });
    expect(await service.messageOf(minted.id, 'ended-report')).toMatchObject({
      state: 'accepted',
      to: { kind: 'control' },
    });
  });

  it('is retried until the homeserver confirms the log-out', async () => {
    await using service = await Service.start();
    const { homeserver } = service;
    const minted = await service.mint();
    await service.drain();
    homeserver.fault = (call) => (call === 'kill' ? 'lost' : null);
    await service.revoke(minted);
    await service.pass(600_000);
    expect((await service.ledger.leases(minted.id))[0]).toMatchObject({ state: 'killing' });
    expect(homeserver.calls.filter((call) => call === 'kill').length).toBeGreaterThan(8);
    homeserver.fault = () => null;
    await service.pass(120_000);
    expect(homeserver.alive()).toEqual([]);
    const [lease] = await service.ledger.leases(minted.id);
    expect(lease?.state).toBe('dead');
    expect(lease?.sealed).not.toBeNull();
    await service.pass(HOUR);
    expect((await service.ledger.leases(minted.id))[0]?.sealed).toBeNull();
  });

  it('that never gets through is given up after the token’s own end, and the control room is told', async () => {
    await using service = await Service.start();
    const minted = await service.mint();
    await service.drain();
    service.homeserver.fault = (call) => (call === 'kill' ? 'lost' : null);
    await service.revoke(minted);
    await service.pass(3 * HOUR, 60_000);
    expect((await service.ledger.leases(minted.id))[0]).toMatchObject({ state: 'unkillable', sealed: null });
    expect(await service.messageOf(minted.id, 'upstream-alive')).toMatchObject({
      state: 'accepted',
      body: { why: 'unkillable' },
    });
  });
});

describe('an expiry', () => {
  it('comes by the row, logs the expired token out too, and is told', async () => {
    await using service = await Service.start();
    const minted = await service.mint();
    await service.pass(HOUR);
    expect(await service.grant(minted.id)).toMatchObject({ state: 'ended', endCause: 'expired' });
    expect([...service.homeserver.tokens.values()].every((token) => token.killed)).toBe(true);
    expect((await service.ledger.leases(minted.id))[0]).toMatchObject({ state: 'dead', sealed: null });
    expect(await service.messageOf(minted.id, 'ended-notice')).toMatchObject({ state: 'accepted' });
    expect(await service.messageOf(minted.id, 'ended-report')).toMatchObject({ state: 'accepted' });
  });

  it('is not undone by anything that comes after it', async () => {
    await using service = await Service.start();
    const minted = await service.mint();
    await service.pass(HOUR);
    expect((await endAutomatically(service.services, minted.id, 'withdrawn', 'holder')).kind).toBe(
      'already-ended',
    );
    expect((await service.grant(minted.id)).endCause).toBe('expired');
  });
});

describe('a start after a crash', () => {
  it('fails a mint that was waiting for its answer, and shows what may be alive', async () => {
    await using service = await Service.start();
    const { homeserver } = service;
    homeserver.during = async (call) => {
      if (call === 'issued') service.gate.die();
    };
    void mint(service.services, service.request());
    await service.gate.died;
    homeserver.during = async () => undefined;
    await service.restart();
    const [grant] = await service.ledger.grants({ limit: 1 });
    expect(grant).toMatchObject({ state: 'failed', sealedToken: null });
    const [lease] = await service.ledger.leases(grant?.id ?? ('' as never));
    expect(lease).toMatchObject({ state: 'orphan' });
    expect(await service.messageOf(grant?.id ?? ('' as never), 'mint-failed')).toMatchObject({
      body: { orphanUntil: lease?.validUntil },
    });
    expect(homeserver.alive()).toHaveLength(1);
    await service.pass(HOUR);
    expect(homeserver.alive()).toEqual([]);
    expect(homeserver.sentTo(CONTROL)).toHaveLength(1);
  });
});
