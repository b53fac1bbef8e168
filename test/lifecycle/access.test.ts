import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { newToken } from '../../src/domain/token.ts';
import type { GrantId, RoomId } from '../../src/domain/ids.ts';
import type { Presented } from '../../src/lifecycle/access/access-control.ts';
import { createAccessControl } from '../../src/lifecycle/access/access.ts';
import { watchSubjectsOnce } from '../../src/lifecycle/scheduler/subjects-watch.ts';
import { randomBytes } from 'node:crypto';
import { Service } from './support/harness.ts';
import { ADMIN, ALICE, CONTROL, LOBBY, OPS } from './support/homeserver.ts';

const HOUR = 3_600_000;

/** A service with a delivered grant, its token and the access control of the gateway. */
async function delivered(fields: Parameters<Service['mint']>[0] = {}) {
  const service = await Service.start();
  const grant = await service.mint(fields);
  await service.drain();
  const token = service.tokensSeen()[0]?.token ?? '';
  const access = createAccessControl(service.world);
  const over: GrantId[] = [];
  access.onOver((id) => over.push(id));
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

const rooms = (presented: Presented) =>
  presented.kind === 'good' ? [...presented.access.rooms].toSorted() : presented.kind;

describe('a presented token', () => {
  it('is good, and answered at once the second time', async () => {
    await using given = await delivered();
    const { access, token } = given;
    expect(rooms(await access.present(token))).toEqual([OPS]);
    const second = access.present(token);
    expect(second).not.toBeInstanceOf(Promise);
    expect(rooms(await second)).toEqual([OPS]);
  });

  it('is over the moment its revocation is committed, before the commit resolves', async () => {
    await using given = await delivered();
    const { service, access, token, grant, over } = given;
    await access.present(token);
    const kinds: string[] = [];
    service.ledger.onCommitted(() => kinds.push((access.present(token) as Presented).kind));
    await service.revoke(grant);
    expect(kinds[0]).toBe('over');
    expect(over).toContain(grant.id);
  });

  it('is over by the clock, although nobody has written the expiry down', async () => {
    await using given = await delivered();
    const { service, access, token } = given;
    await access.present(token);
    service.clock.at += HOUR - 1;
    expect((await access.present(token)).kind).toBe('good');
    service.clock.at += 1;
    expect((access.present(token) as Presented).kind).toBe('over');
    expect(() => access.upstream(given.grant.id)).not.toThrow();
    await expect(access.upstream(given.grant.id)).rejects.toMatchObject({ code: 'not-allowed' });
  });

  it('is cut when its time comes, without the reaper', async () => {
    await using given = await delivered();
    const { service, access, token, over } = given;
    service.clock.at += HOUR - 30;
    await access.present(token);
    const real = Date.now() - service.clock.at;
    service.world.clock.now = () => Date.now() - real;
    await sleep(120);
    expect(over).toEqual([given.grant.id]);
  });

  it('of a revoked grant is not revived by a read that was under way', async () => {
    await using given = await delivered();
    const { service, access, token, grant } = given;
    const { ledger } = service.world;
    const read = ledger.grant.bind(ledger);
    let reads = 0;
    service.world = Object.assign(service.world, {
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
    expect((await access.present(token)).kind).toBe('over');
    expect((access.present(token) as Presented).kind).toBe('over');
  });

  it('with a wrong secret or an unknown id is over, and says no more', async () => {
    await using given = await delivered();
    const { access, grant } = given;
    const wrong = newToken(grant.id, randomBytes);
    expect(await access.present(wrong)).toEqual({ kind: 'over', grantId: null });
    expect(await access.present(newToken('000000' as GrantId, randomBytes))).toEqual({
      kind: 'over',
      grantId: null,
    });
    expect(access.present('syt_something')).toEqual({ kind: 'over', grantId: null });
    expect(access.present('')).toEqual({ kind: 'over', grantId: null });
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
      await access.present(newToken('000000' as GrantId, randomBytes));
      await access.present(newToken(grant.id, randomBytes));
    }
    expect(reads).toBeLessThanOrEqual(4);
  });

  it('of a locked subject is suspended, and good again when they are unlocked', async () => {
    await using given = await delivered({ rooms: 'all' });
    const { service, access, token, grant, over } = given;
    await access.present(token);
    service.homeserver.change(ALICE, { locked: true });
    await watchSubjectsOnce(service.world);
    expect(access.present(token)).toEqual({ kind: 'suspended', grantId: grant.id });
    expect(over).toEqual([grant.id]);
    await expect(access.upstream(grant.id)).rejects.toMatchObject({ code: 'not-allowed' });
    service.homeserver.change(ALICE, { locked: false });
    await watchSubjectsOnce(service.world);
    expect(rooms(await access.present(token))).toEqual([LOBBY, OPS]);
  });

  it('of a deactivated subject ends', async () => {
    await using given = await delivered();
    const { service, access, token, grant } = given;
    await access.present(token);
    service.homeserver.change(ALICE, { deactivated: true });
    await watchSubjectsOnce(service.world);
    expect((access.present(token) as Presented).kind).toBe('over');
    expect((await service.grant(grant.id)).endCause).toBe('subject-gone');
    await service.drain();
    expect(service.homeserver.alive()).toEqual([]);
  });

  it('is left as it is by a look-up that fails', async () => {
    await using given = await delivered();
    const { service, access, token } = given;
    service.homeserver.fault = (call) => (call === 'subject' ? 'lost' : null);
    await watchSubjectsOnce(service.world);
    expect((await access.present(token)).kind).toBe('good');
  });
});

describe('the rooms of a token for all rooms', () => {
  it('are the subject’s, less those outside every scope', async () => {
    await using given = await delivered({ rooms: 'all' });
    const { service, access, token } = given;
    const dm = '!dm-alice:example.org' as RoomId;
    service.homeserver.change(ALICE, { joinedRooms: [OPS, LOBBY, CONTROL, dm], noticesRoom: null });
    expect(rooms(await access.present(token))).toEqual([LOBBY, OPS]);
  });

  it('lose a room the moment it is excluded', async () => {
    await using given = await delivered({ rooms: 'all' });
    const { service, access, token } = given;
    await access.present(token);
    await service.ledger.commit({
      at: 1,
      excluded: [{ roomId: LOBBY, why: 'server-notices', userId: ALICE }],
    });
    expect(rooms(access.present(token) as Presented)).toEqual([OPS]);
  });

  it('never hold the notices room, even before the watch has seen it', async () => {
    await using given = await delivered({ rooms: 'all' });
    const notices = '!notices' as RoomId;
    given.service.homeserver.change(ALICE, { joinedRooms: [OPS, notices], noticesRoom: notices });
    expect(rooms(await given.access.present(given.token))).toEqual([OPS]);
  });

  it('are looked up anew when asked, at most once a second', async () => {
    await using given = await delivered({ rooms: 'all' });
    const { service, access, token, grant } = given;
    await access.present(token);
    const looks = () => service.homeserver.calls.filter((call) => call === 'subject').length;
    const before = looks();
    service.homeserver.change(ALICE, { joinedRooms: [OPS] });
    await Promise.all([access.refresh(grant.id), access.refresh(grant.id)]);
    expect(looks()).toBe(before);
    service.clock.at += 1_001;
    const [fresh] = await Promise.all([access.refresh(grant.id), access.refresh(grant.id)]);
    expect([...(fresh?.rooms ?? [])]).toEqual([OPS]);
    expect(looks()).toBe(before + 1);
  });

  it('are not taken for none where the homeserver does not answer', async () => {
    await using given = await delivered({ rooms: 'all' });
    given.service.homeserver.fault = (call) => (call === 'subject' ? 'lost' : null);
    await expect(given.access.present(given.token)).rejects.toMatchObject({ code: 'homeserver-unreachable' });
  });
});

describe('the upstream token', () => {
  it('comes from memory the second time, and is the lease’s', async () => {
    await using given = await delivered();
    const { access, grant, token, service } = given;
    await access.present(token);
    const first = await access.upstream(grant.id);
    expect(service.homeserver.alive()).toEqual([first.token]);
    expect(access.upstream(grant.id)).not.toBeInstanceOf(Promise);
  });

  it('is renewed once when its end is near, the old one logged out at its end', async () => {
    await using given = await delivered({ ttlMs: 12 * HOUR });
    const { access, grant, service } = given;
    const first = await access.upstream(grant.id);
    service.clock.at += 6 * HOUR - 30 * 60_000;
    const both = await Promise.all([access.upstream(grant.id), access.upstream(grant.id)]);
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
    const first = await access.upstream(grant.id);
    service.homeserver.fault = (call) => (call === 'issue' ? 'lost' : null);
    service.clock.at += 6 * HOUR - 60_000 * 20;
    expect(await access.upstream(grant.id)).toMatchObject({ leaseId: first.leaseId });
    service.clock.at += HOUR;
    await expect(access.upstream(grant.id)).rejects.toMatchObject({ code: 'homeserver-unreachable' });
  });

  it('made while the grant was being revoked is killed, and never handed out', async () => {
    await using given = await delivered({ ttlMs: 12 * HOUR });
    const { access, grant, service } = given;
    service.clock.at += 6 * HOUR - 60_000;
    service.homeserver.during = async (call) => {
      if (call === 'issued') await service.revoke(grant);
    };
    await expect(access.upstream(grant.id)).rejects.toMatchObject({ code: 'not-allowed' });
    service.homeserver.during = async () => undefined;
    await service.drain();
    expect(service.homeserver.tokens.size).toBe(2);
    expect(service.homeserver.alive()).toEqual([]);
  });

  it('that the homeserver no longer knows is replaced once, and the control room hears of it', async () => {
    await using given = await delivered();
    const { access, grant, service } = given;
    const first = await access.upstream(grant.id);
    service.homeserver.tokens.clear();
    const [second, same] = await Promise.all([
      access.upstreamRefused(grant.id, first.leaseId),
      access.upstreamRefused(grant.id, first.leaseId),
    ]);
    expect(second).toEqual(same);
    expect(second).toMatchObject({ token: expect.any(String) });
    expect(await access.upstreamRefused(grant.id, first.leaseId)).toMatchObject({
      leaseId: (second as { leaseId: string }).leaseId,
    });
    expect(service.homeserver.tokens.size).toBe(1);
    expect(await service.messageOf(grant.id, 'upstream-alive')).toMatchObject({
      body: { why: 'died-early' },
    });
    expect(
      await access.upstreamRefused(grant.id, (second as { leaseId: typeof first.leaseId }).leaseId),
    ).toBe('unavailable');
  });

  it('whose subject is gone ends the grant', async () => {
    await using given = await delivered();
    const { access, grant, service } = given;
    const first = await access.upstream(grant.id);
    service.homeserver.change(ALICE, { deactivated: true });
    expect(await access.upstreamRefused(grant.id, first.leaseId)).toBe('gone');
    expect((await service.grant(grant.id)).endCause).toBe('subject-gone');
  });

  it('is not for the grant of another: a lease id of another grant changes nothing', async () => {
    await using given = await delivered();
    const { access, service } = given;
    const other = await service.mint();
    const theirs = await access.upstream(given.grant.id);
    await access.upstreamRefused(other.id, theirs.leaseId);
    expect(await service.ledger.lease(theirs.leaseId)).toMatchObject({ state: 'alive' });
  });
});

describe('a holder who logs out', () => {
  it('ends the grant for good, and nothing they do brings it back', async () => {
    await using given = await delivered();
    const { access, grant, token, service, over } = given;
    await access.present(token);
    await access.withdraw(grant.id);
    expect(over).toContain(grant.id);
    await access.withdraw(grant.id);
    expect((access.present(token) as Presented).kind).toBe('over');
    expect(await access.refresh(grant.id)).toBeNull();
    await expect(access.upstream(grant.id)).rejects.toMatchObject({ code: 'not-allowed' });
    expect(await access.upstreamRefused(grant.id, 'x' as never)).toBe('gone');
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
