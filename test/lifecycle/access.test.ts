import { describe, expect, it } from 'vitest';
import { newToken } from '../../src/domain/token.ts';
import type { GrantId, RoomId } from '../../src/domain/ids.ts';
import type { TokenVerification } from '../../src/lifecycle/access/access-control.ts';
import { createAccessControl } from '../../src/lifecycle/access/access.ts';
import { watchSubjectsOnce } from '../../src/lifecycle/subjects/watch-subjects.ts';
import { randomBytes } from 'node:crypto';
import { Service } from './support/harness.ts';
import { ADMIN, ALICE, CONTROL, LOBBY, OPS } from './support/homeserver.ts';
import { fakeTimers } from '../support/fake-timers.ts';

const HOUR = 3_600_000;

/** A service with a delivered grant, its token and the access control of the gateway. */
async function delivered(fields: Parameters<Service['mint']>[0] = {}) {
  const service = await Service.start();
  const grant = await service.mint(fields);
  await service.drain();
  const token = service.tokensSeen()[0]?.token ?? '';
  const access = createAccessControl(service.services);
  const over: GrantId[] = [];
  access.onGrantInactive((id) => over.push(id));
  return {
    service,
    grant,
    token,
    access,
    over,
    [Symbol.asyncDispose]: async () => {
      access.close();
      await service[Symbol.asyncDispose]();
    },
  };
}

const rooms = (presented: TokenVerification) =>
  presented.kind === 'valid' ? [...presented.access.rooms].toSorted() : presented.kind;

describe('a presented token', () => {
  it('is valid, and answered at once the second time', async () => {
    await using given = await delivered();
    const { access, token } = given;
    expect(rooms(await access.verifyToken(token))).toEqual([OPS]);
    const second = access.verifyToken(token);
    expect(second).not.toBeInstanceOf(Promise);
    expect(rooms(await second)).toEqual([OPS]);
  });

  it('is invalid the moment its revocation is committed, before the commit resolves', async () => {
    await using given = await delivered();
    const { service, access, token, grant, over } = given;
    await access.verifyToken(token);
    const kinds: string[] = [];
    service.ledger.onCommitted(() => kinds.push((access.verifyToken(token) as TokenVerification).kind));
    await service.revoke(grant);
    expect(kinds[0]).toBe('invalid');
    expect(over).toContain(grant.id);
  });

  it('is invalid by the clock, although the expiry is not recorded yet', async () => {
    await using given = await delivered();
    const { service, access, token } = given;
    await access.verifyToken(token);
    service.clock.at += HOUR - 1;
    expect((await access.verifyToken(token)).kind).toBe('valid');
    service.clock.at += 1;
    expect((access.verifyToken(token) as TokenVerification).kind).toBe('invalid');
    expect(() => access.upstreamToken(given.grant.id)).not.toThrow();
    await expect(access.upstreamToken(given.grant.id)).rejects.toMatchObject({ code: 'not-allowed' });
  });

  it('is cut when its time comes, without the reaper', async () => {
    await using given = await delivered();
    const { service, access, token, over } = given;
    using timers = fakeTimers();
    service.clock.at += HOUR - 30;
    await access.verifyToken(token);
    await timers.pass(29);
    expect(over).toEqual([]);
    service.clock.at += 30;
    await timers.pass(1);
    expect(over).toEqual([given.grant.id]);
  });

  it('of a revoked grant is not revived by a read that was under way', async () => {
    await using given = await delivered();
    const { service, access, token, grant } = given;
    const { ledger } = service.services;
    const read = ledger.grant.bind(ledger);
    let reads = 0;
    service.services = Object.assign(service.services, {
      ledger: new Proxy(ledger, {
        get: (target, name) =>
          name === 'grant'
            ? async (id: GrantId) => {
                const row = await read(id);
                if (++reads === 1) await service.revoke(grant);
                return row;
              }
            : Reflect.get(target, name),
      }),
    });
    expect((await access.verifyToken(token)).kind).toBe('invalid');
    expect((access.verifyToken(token) as TokenVerification).kind).toBe('invalid');
  });

  it('with a wrong secret or an unknown id is invalid, and tells nothing more', async () => {
    await using given = await delivered();
    const { access, grant } = given;
    const wrong = newToken(grant.id, randomBytes);
    expect(await access.verifyToken(wrong)).toEqual({ kind: 'invalid', grantId: null });
    expect(await access.verifyToken(newToken('000000' as GrantId, randomBytes))).toEqual({
      kind: 'invalid',
      grantId: null,
    });
    expect(access.verifyToken('syt_something')).toEqual({ kind: 'invalid', grantId: null });
    expect(access.verifyToken('')).toEqual({ kind: 'invalid', grantId: null });
  });

  it('that is unknown costs the ledger one look, however often it comes', async () => {
    await using given = await delivered();
    const { service, access, grant } = given;
    let reads = 0;
    const read = service.ledger.grant.bind(service.ledger);
    service.ledger.grant = (id) => {
      reads++;
      return read(id);
    };
    for (let i = 0; i < 50; i++) {
      await access.verifyToken(newToken('000000' as GrantId, randomBytes));
      await access.verifyToken(newToken(grant.id, randomBytes));
    }
    expect(reads).toBeLessThanOrEqual(4);
  });

  it('of a locked subject is suspended, and good again when they are unlocked', async () => {
    await using given = await delivered({ rooms: 'all' });
    const { service, access, token, grant, over } = given;
    await access.verifyToken(token);
    service.homeserver.change(ALICE, { locked: true });
    await watchSubjectsOnce(service.services);
    expect(access.verifyToken(token)).toEqual({ kind: 'suspended', grantId: grant.id });
    expect(over).toEqual([grant.id]);
    await expect(access.upstreamToken(grant.id)).rejects.toMatchObject({ code: 'not-allowed' });
    service.homeserver.change(ALICE, { locked: false });
    await watchSubjectsOnce(service.services);
    expect(rooms(await access.verifyToken(token))).toEqual([LOBBY, OPS]);
  });

  it('of a deactivated subject ends', async () => {
    await using given = await delivered();
    const { service, access, token, grant } = given;
    await access.verifyToken(token);
    service.homeserver.change(ALICE, { deactivated: true });
    await watchSubjectsOnce(service.services);
    expect((access.verifyToken(token) as TokenVerification).kind).toBe('invalid');
    expect((await service.grant(grant.id)).endCause).toBe('subject-gone');
    await service.drain();
    expect(service.homeserver.alive()).toEqual([]);
  });

  it('is left as it is by a look-up that fails', async () => {
    await using given = await delivered();
    const { service, access, token } = given;
    service.homeserver.fault = (call) => (call === 'subject' ? 'lost' : null);
    await watchSubjectsOnce(service.services);
    expect((await access.verifyToken(token)).kind).toBe('valid');
  });
});

describe('the rooms of a token for all rooms', () => {
  it('are the subject’s, less those outside every scope', async () => {
    await using given = await delivered({ rooms: 'all' });
    const { service, access, token } = given;
    const dm = '!dm-alice:example.org' as RoomId;
    service.homeserver.change(ALICE, { joinedRooms: [OPS, LOBBY, CONTROL, dm], noticesRoom: null });
    expect(rooms(await access.verifyToken(token))).toEqual([LOBBY, OPS]);
  });

  it('lose a room the moment it is excluded', async () => {
    await using given = await delivered({ rooms: 'all' });
    const { service, access, token } = given;
    await access.verifyToken(token);
    await service.ledger.commit({
      at: 1,
      excluded: [{ roomId: LOBBY, why: 'server-notices', userId: ALICE }],
    });
    expect(rooms(access.verifyToken(token) as TokenVerification)).toEqual([OPS]);
  });

  it('never hold the notices room, even before the watch has seen it', async () => {
    await using given = await delivered({ rooms: 'all' });
    const notices = '!notices' as RoomId;
    given.service.homeserver.change(ALICE, { joinedRooms: [OPS, notices], noticesRoom: notices });
    expect(rooms(await given.access.verifyToken(given.token))).toEqual([OPS]);
  });

  it('are looked up again when asked, at most once a second', async () => {
    await using given = await delivered({ rooms: 'all' });
    const { service, access, token, grant } = given;
    await access.verifyToken(token);
    const looks = () => service.homeserver.calls.filter((call) => call === 'subject').length;
    const before = looks();
    service.homeserver.change(ALICE, { joinedRooms: [OPS] });
    await Promise.all([access.refreshRooms(grant.id), access.refreshRooms(grant.id)]);
    expect(looks()).toBe(before);
    service.clock.at += 1_001;
    const [fresh] = await Promise.all([access.refreshRooms(grant.id), access.refreshRooms(grant.id)]);
    expect([...(fresh?.rooms ?? [])]).toEqual([OPS]);
    expect(looks()).toBe(before + 1);
  });

  it('are not taken for none where the homeserver does not answer', async () => {
    await using given = await delivered({ rooms: 'all' });
    given.service.homeserver.fault = (call) => (call === 'subject' ? 'lost' : null);
    await expect(given.access.verifyToken(given.token)).rejects.toMatchObject({
      code: 'homeserver-unreachable',
    });
  });
});

describe('the upstream token', () => {
  it('comes from memory the second time, and is the lease’s', async () => {
    await using given = await delivered();
    const { access, grant, token, service } = given;
    await access.verifyToken(token);
    const first = await access.upstreamToken(grant.id);
    expect(service.homeserver.alive()).toEqual([first.token]);
    expect(access.upstreamToken(grant.id)).not.toBeInstanceOf(Promise);
  });

  it('is renewed once when its end is near, the old one logged out at its end', async () => {
    await using given = await delivered({ ttlMs: 12 * HOUR });
    const { access, grant, service } = given;
    const first = await access.upstreamToken(grant.id);
    service.clock.at += 6 * HOUR - 30 * 60_000;
    const both = await Promise.all([access.upstreamToken(grant.id), access.upstreamToken(grant.id)]);
    expect(both[0].leaseId).not.toBe(first.leaseId);
    expect(both[1]).toEqual(both[0]);
    expect(service.homeserver.tokens.size).toBe(2);
    await service.pass(HOUR);
    expect(await service.ledger.lease(first.leaseId)).toMatchObject({ state: 'dead', sealed: null });
    expect(service.homeserver.alive()).toEqual([both[0].token]);
  });

  it('is used on while the homeserver will not renew it, and refused when it has ended', async () => {
    await using given = await delivered({ ttlMs: 12 * HOUR });
    const { access, grant, service } = given;
    const first = await access.upstreamToken(grant.id);
    service.homeserver.fault = (call) => (call === 'issue' ? 'lost' : null);
    service.clock.at += 6 * HOUR - 60_000 * 20;
    expect(await access.upstreamToken(grant.id)).toMatchObject({ leaseId: first.leaseId });
    service.clock.at += HOUR;
    await expect(access.upstreamToken(grant.id)).rejects.toMatchObject({ code: 'homeserver-unreachable' });
  });

  it('made while the grant was being revoked is killed, and never handed out', async () => {
    await using given = await delivered({ ttlMs: 12 * HOUR });
    const { access, grant, service } = given;
    service.clock.at += 6 * HOUR - 60_000;
    service.homeserver.during = async (call) => {
      if (call === 'issued') await service.revoke(grant);
    };
    await expect(access.upstreamToken(grant.id)).rejects.toMatchObject({ code: 'not-allowed' });
    service.homeserver.during = async () => undefined;
    await service.drain();
    expect(service.homeserver.tokens.size).toBe(2);
    expect(service.homeserver.alive()).toEqual([]);
  });

  it('that the homeserver no longer knows is replaced once, and the control room hears of it', async () => {
    await using given = await delivered();
    const { access, grant, service } = given;
    const first = await access.upstreamToken(grant.id);
    service.homeserver.tokens.clear();
    const [second, same] = await Promise.all([
      access.replaceUpstreamToken(grant.id, first.leaseId),
      access.replaceUpstreamToken(grant.id, first.leaseId),
    ]);
    expect(second).toEqual(same);
    expect(second).toMatchObject({ token: expect.any(String) });
    expect(await access.replaceUpstreamToken(grant.id, first.leaseId)).toMatchObject({
      leaseId: (second as { leaseId: string }).leaseId,
    });
    expect(service.homeserver.tokens.size).toBe(1);
    expect(await service.messageOf(grant.id, 'upstream-alive')).toMatchObject({
      body: { why: 'died-early' },
    });
    expect(
      await access.replaceUpstreamToken(grant.id, (second as { leaseId: typeof first.leaseId }).leaseId),
    ).toBe('unavailable');
  });

  it('whose subject is gone ends the grant', async () => {
    await using given = await delivered();
    const { access, grant, service } = given;
    const first = await access.upstreamToken(grant.id);
    service.homeserver.change(ALICE, { deactivated: true });
    expect(await access.replaceUpstreamToken(grant.id, first.leaseId)).toBe('gone');
    expect((await service.grant(grant.id)).endCause).toBe('subject-gone');
  });

  it('is not for the grant of another: a lease id of another grant changes nothing', async () => {
    await using given = await delivered();
    const { access, service } = given;
    const other = await service.mint();
    const theirs = await access.upstreamToken(given.grant.id);
    await access.replaceUpstreamToken(other.id, theirs.leaseId);
    expect(await service.ledger.lease(theirs.leaseId)).toMatchObject({ state: 'alive' });
  });
});

describe('a holder who logs out', () => {
  it('ends the grant for good, and nothing they do brings it back', async () => {
    await using given = await delivered();
    const { access, grant, token, service, over } = given;
    await access.verifyToken(token);
    await access.withdraw(grant.id);
    expect(over).toContain(grant.id);
    await access.withdraw(grant.id);
    expect((access.verifyToken(token) as TokenVerification).kind).toBe('invalid');
    expect(await access.refreshRooms(grant.id)).toBeNull();
    await expect(access.upstreamToken(grant.id)).rejects.toMatchObject({ code: 'not-allowed' });
    expect(await access.replaceUpstreamToken(grant.id, 'x' as never)).toBe('gone');
    expect(await service.grant(grant.id)).toMatchObject({ endCause: 'withdrawn', endedBy: 'holder' });
    await service.drain();
    expect(service.homeserver.alive()).toEqual([]);
    expect(await service.messageOf(grant.id, 'ended-report')).toMatchObject({
      state: 'accepted',
      body: { cause: 'withdrawn' },
    });
    expect(service.homeserver.sentTo(service.homeserver.dms.get(ADMIN)?.roomId)).toMatchObject([
      { redacted: true },
    ]);
  });
});
