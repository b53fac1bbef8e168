import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { RoomId } from '../../src/domain/ids.ts';
import { newToken } from '../../src/domain/token.ts';
import { createAccessControl } from '../../src/lifecycle/access/access.ts';
import { Service } from './support/harness.ts';
import { ALICE, LOBBY, OPS } from './support/homeserver.ts';

const HOUR = 3_600_000;

async function delivered(fields: Parameters<Service['mint']>[0] = {}) {
  const service = await Service.start();
  const grant = await service.mint(fields);
  await service.drain();
  const token = service.tokensSeen()[0]?.token ?? '';
  const access = createAccessControl(service.services);
  const calls = (name: string) => service.homeserver.calls.filter((call) => call === name).length;
  return {
    service,
    grant,
    token,
    access,
    calls,
    [Symbol.asyncDispose]: async () => {
      access.close();
      await service[Symbol.asyncDispose]();
    },
  };
}

describe('someone who knows a grant’s id, which is no secret, and not its token', () => {
  it('makes the homeserver do nothing, and cannot tell that there is such a grant', async () => {
    await using given = await delivered({ rooms: 'all' });
    const { service, access, grant, calls } = given;
    const before = calls('subject');
    service.homeserver.fault = (call) => (call === 'subject' ? 'lost' : null);
    for (let i = 0; i < 20; i++)
      expect(await access.verifyToken(newToken(grant.id, randomBytes))).toEqual({
        kind: 'invalid',
        grantId: null,
      });
    expect(calls('subject')).toBe(before);
  });
});

describe('a holder who never stops asking', () => {
  it('does not make lease after lease where the homeserver’s answers are lost', async () => {
    await using given = await delivered({ ttlMs: 12 * HOUR });
    const { service, access, grant } = given;
    service.clock.at += 6 * HOUR;
    service.homeserver.fault = (call) => (call === 'issue' ? 'unanswered' : null);
    const before = service.homeserver.tokens.size;
    for (let second = 0; second < 3_600; second++) {
      service.clock.at += 1_000;
      await expect(Promise.resolve(access.upstreamToken(grant.id))).rejects.toMatchObject({
        code: 'homeserver-unreachable',
      });
    }
    expect(service.homeserver.tokens.size - before).toBeLessThan(20);
    service.homeserver.fault = () => null;
    service.clock.at += 300_000;
    expect(await access.upstreamToken(grant.id)).toHaveProperty('token');
  });

  it('does not make lease after lease where the homeserver refuses them all, nor look-ups', async () => {
    await using given = await delivered();
    const { service, access, grant, calls } = given;
    const before = { tokens: service.homeserver.tokens.size, looks: calls('subject') };
    for (let second = 0; second < 3_000; second++) {
      service.clock.at += 1_000;
      const { leaseId } = await access.upstreamToken(grant.id);
      await access.replaceUpstreamToken(grant.id, leaseId);
    }
    expect(service.homeserver.tokens.size - before.tokens).toBeLessThan(10);
    expect(calls('subject') - before.looks).toBeLessThan(30);
    await service.drain();
    expect(service.homeserver.alive()).toEqual([(await access.upstreamToken(grant.id)).token]);
  });

  it('does not look rooms up without end while that fails', async () => {
    await using given = await delivered({ rooms: 'all' });
    const { service, access, grant, token, calls } = given;
    await access.verifyToken(token);
    service.homeserver.fault = (call) => (call === 'subject' ? 'lost' : null);
    service.clock.at += 60_000;
    const before = calls('subject');
    for (let i = 0; i < 100; i++) {
      await access.verifyToken(token);
      await access.refreshRooms(grant.id).catch(() => null);
    }
    expect(calls('subject') - before).toBe(1);
  });
});

describe('a lease that the homeserver denies once', () => {
  it('is logged out all the same: it may be alive', async () => {
    await using given = await delivered();
    const { service, access, grant } = given;
    const first = await access.upstreamToken(grant.id);
    const second = await access.replaceUpstreamToken(grant.id, first.leaseId);
    await service.drain();
    expect(service.homeserver.alive()).toEqual([(second as { token: string }).token]);
    expect(await service.ledger.lease(first.leaseId)).toMatchObject({ state: 'dead' });
  });

  it('is not replaced where another is there, though nobody remembers it', async () => {
    await using given = await delivered();
    const { service, access, grant } = given;
    const first = await access.upstreamToken(grant.id);
    service.homeserver.tokens.clear();
    const second = await access.replaceUpstreamToken(grant.id, first.leaseId);
    const later = createAccessControl(service.services);
    expect(await later.replaceUpstreamToken(grant.id, first.leaseId)).toMatchObject({
      leaseId: (second as { leaseId: string }).leaseId,
    });
    later.close();
  });
});

describe('a room outside every scope', () => {
  it('is not open for a moment, where the subject’s client joins the bot’s chat by itself', async () => {
    await using given = await delivered({ rooms: 'all' });
    const { service, access, token, grant } = given;
    await access.verifyToken(token);
    const dm = service.homeserver.dms.get(ALICE);
    if (dm === undefined) throw new Error('no DM');
    const fresh = { ...dm, roomId: '!just-made:example.org' as RoomId };
    service.homeserver.dms.set(ALICE, fresh);
    service.homeserver.change(ALICE, { joinedRooms: [OPS, LOBBY, fresh.roomId] });
    service.clock.at += 2_000;
    const seen = await access.refreshRooms(grant.id);
    expect([...(seen?.rooms ?? [])].toSorted()).toEqual([LOBBY, OPS]);
  });

  it('closes to requests that are open already', async () => {
    await using given = await delivered({ rooms: 'all' });
    const { service, access, token } = given;
    const presented = await access.verifyToken(token);
    if (presented.kind !== 'valid') throw new Error('not good');
    await service.ledger.commit({
      at: 1,
      excluded: [{ roomId: LOBBY, why: 'server-notices', userId: ALICE }],
    });
    expect([...presented.access.rooms]).toEqual([OPS]);
  });
});
