import { describe, expect, it } from 'vitest';
import { mint } from '../../src/lifecycle/mint/mint.ts';
import { hashToken } from '../../src/domain/token.ts';
import { Service } from './support/harness.ts';
import { ADMIN, ALICE, CONTROL } from './support/homeserver.ts';

const HOUR = 3_600_000;

describe('a mint', () => {
  it('ends as a live grant, with the reply, the notice, then the token, each once', async () => {
    await using service = await Service.start();
    const { homeserver } = service;
    const { id } = await service.mint();
    await service.drain();
    const grant = await service.grant(id);
    expect(grant).toMatchObject({ state: 'live', delivery: 'sent', sealedToken: null });
    const marker = async (kind: 'minted' | 'notice' | 'token') => (await service.messageOf(id, kind))?.id;
    const markers = homeserver.events.map((event) => event.marker);
    expect(markers).toHaveLength(3);
    expect(markers).toContain(await marker('minted'));
    expect(markers.indexOf((await marker('notice')) ?? '')).toBeLessThan(
      markers.indexOf((await marker('token')) ?? ''),
    );
    const [seen] = service.tokensSeen();
    expect(hashToken(seen?.token ?? '')).toBe(grant.tokenHash);
    expect(homeserver.alive()).toHaveLength(1);
    expect(await service.auditFault()).toBeNull();
  });

  it('sends the token to signed devices, in an encrypted room, and nowhere else', async () => {
    await using service = await Service.start();
    await service.mint();
    await service.drain();
    const withToken = service.homeserver.events.filter(
      (event) => /mwt_/.test(event.content.body) || /mwt_/.test(event.content.html),
    );
    expect(withToken).toHaveLength(1);
    expect(withToken[0]).toMatchObject({
      roomId: service.homeserver.dms.get(ADMIN)?.roomId,
      encrypted: true,
      audience: 'cross-signed',
    });
  });

  it('writes the record before the homeserver is asked', async () => {
    await using service = await Service.start();
    let states: string[] = [];
    service.homeserver.during = async (call) => {
      if (call !== 'issue') return;
      const grants = await service.ledger.grants({ limit: 10 });
      const leases = await service.ledger.leases(grants[0]?.id ?? ('' as never));
      states = [grants[0]?.state ?? '', leases[0]?.state ?? ''];
    };
    await service.mint();
    expect(states).toEqual(['minting', 'asking']);
  });

  it('of a command that was acted on is not made again', async () => {
    await using service = await Service.start();
    const request = service.request();
    await mint(service.services, request);
    expect(await mint(service.services, request)).toEqual({ kind: 'seen' });
    expect(service.homeserver.tokens.size).toBe(1);
  });

  it('at the same moment as another of the same command is made once', async () => {
    await using service = await Service.start();
    const request = service.request();
    const both = await Promise.all([mint(service.services, request), mint(service.services, request)]);
    expect(both.map((begun) => begun.kind).toSorted()).toEqual(['begun', 'seen']);
    expect(service.homeserver.tokens.size).toBe(1);
  });

  it('at the same moment as another does not pass the limits', async () => {
    await using service = await Service.start();
    service.policy = { ...service.policy, maxLiveGrantsPerSubject: 1 };
    const both = await Promise.allSettled([service.mint(), service.mint(), service.mint()]);
    expect(both.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
    expect(service.homeserver.tokens.size).toBe(1);
  });

  it('that the homeserver refuses fails with a reply, and leaves nothing', async () => {
    await using service = await Service.start();
    service.homeserver.fault = (call) => (call === 'issue' ? 'refused' : null);
    service.homeserver.issueRefusal = 'not-admin';
    const { id } = await service.mint();
    await service.drain();
    expect(await service.grant(id)).toMatchObject({ state: 'failed', sealedToken: null });
    expect((await service.ledger.leases(id))[0]?.state).toBe('dead');
    expect(service.homeserver.events).toHaveLength(1);
    expect(service.homeserver.events[0]).toMatchObject({ roomId: CONTROL });
    expect(await service.messageOf(id, 'mint-failed')).toMatchObject({ body: { orphanUntil: null } });
  });

  it('without an answer fails, and says until when something may be alive', async () => {
    await using service = await Service.start();
    service.homeserver.fault = (call) => (call === 'issue' ? 'unanswered' : null);
    const { id } = await service.mint();
    const [lease] = await service.ledger.leases(id);
    expect(lease).toMatchObject({ state: 'orphan' });
    expect(await service.messageOf(id, 'mint-failed')).toMatchObject({
      body: { orphanUntil: lease?.validUntil },
    });
    expect((await service.grant(id)).state).toBe('failed');
    service.homeserver.fault = () => null;
    await service.pass(2 * HOUR);
    expect((await service.ledger.leases(id))[0]?.state).toBe('dead');
  });

  it.each([
    ['after it was given up', 10 * 60_000, HOUR],
    ['after the lifetime that was asked for', 90_000, 60_000],
    ['at the very end of that lifetime', 60_000, 60_000],
  ])('whose answer comes %s is not live, and what was made is ended', async (_, delayMs, ttlMs) => {
    await using service = await Service.start();
    const { homeserver } = service;
    homeserver.during = async (call) => {
      if (call === 'issued') await service.pass(delayMs);
    };
    const { id } = await service.mint({ ttlMs });
    homeserver.during = async () => undefined;
    expect(homeserver.tokens.size).toBe(1);
    expect((await service.ledger.leases(id))[0]?.state).toBe('killing');
    await service.drain();
    expect([...homeserver.tokens.values()]).toMatchObject([{ killed: true }]);
    expect((await service.ledger.leases(id))[0]).toMatchObject({ state: 'dead' });
    expect(await service.grant(id)).toMatchObject({ state: 'failed', sealedToken: null });
    expect(service.tokensSeen()).toEqual([]);
    expect(
      homeserver
        .sentTo(CONTROL)
        .map(({ content }) => content.body)
        .join('\n'),
    ).not.toMatch(/is live/);
    expect(await service.auditFault()).toBeNull();
  });

  it('whose outcome cannot be written kills what was made at once', async () => {
    await using service = await Service.start();
    const commit = service.ledger.commit.bind(service.ledger);
    service.homeserver.during = async (call) => {
      if (call === 'issued') service.ledger.commit = () => Promise.reject(new Error('disk full'));
    };
    await expect(service.mint()).rejects.toMatchObject({ code: 'state' });
    expect(service.homeserver.alive()).toHaveLength(0);
    service.ledger.commit = commit;
    await service.pass(300_000);
    const [grant] = await service.ledger.grants({ limit: 1 });
    expect(grant).toMatchObject({ state: 'failed', sealedToken: null });
    expect(service.tokensSeen()).toHaveLength(0);
  });

  it('asks for a lease no longer than policy and the grant allow', async () => {
    await using service = await Service.start();
    service.policy = { ...service.policy, leaseMs: 1_800_000 };
    await service.mint();
    await service.mint({ ttlMs: 60_000 });
    const ends = [...service.homeserver.tokens.values()].map((token) => token.validUntil - service.clock.at);
    expect(ends).toEqual([1_800_000, 60_000]);
  });

  it('is told to nobody but by the outbox, and the control room never sees the token', async () => {
    await using service = await Service.start();
    await service.mint({ recipient: ALICE });
    await service.drain();
    expect(
      service.homeserver
        .sentTo(CONTROL)
        .some((event) => /mwt_/.test(event.content.html + event.content.body)),
    ).toBe(false);
    expect(service.tokensSeen()).toHaveLength(1);
  });
});
