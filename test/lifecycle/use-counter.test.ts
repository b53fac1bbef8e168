import { describe, expect, it } from 'vitest';
import { MintwardenError } from '../../src/domain/errors.ts';
import { createAccessControl } from '../../src/lifecycle/access/access.ts';
import { Service } from './support/harness.ts';
import { ALICE, CONTROL } from './support/homeserver.ts';

/** A delivered grant that is good for so many requests. */
async function limited(uses: number) {
  const service = await Service.start();
  const grant = await service.mint({ limits: { uses } });
  await service.drain();
  const access = createAccessControl(service.services);
  await access.verifyToken(service.tokensSeen()[0]?.token ?? '');
  return {
    service,
    grant,
    access,
    token: service.tokensSeen()[0]?.token ?? '',
    [Symbol.asyncDispose]: async () => {
      access.close();
      await service[Symbol.asyncDispose]();
    },
  };
}

describe('a grant that is good for so many requests', () => {
  it('lets five of a hundred at once pass, and ends when the last of them is over', async () => {
    await using it = await limited(5);
    const { access, grant, service, token } = it;
    const counted = await Promise.all(Array.from({ length: 100 }, () => access.countUse(grant.id)));
    expect(counted.filter(Boolean)).toHaveLength(5);
    // The five are under way: they are not cut off.
    expect((await service.grant(grant.id)).state).toBe('live');
    for (let left = 4; left > 0; left--) await access.finishUse(grant.id);
    expect((await service.grant(grant.id)).state).toBe('live');
    const over: string[] = [];
    access.onGrantInactive((id) => over.push(id));
    await access.finishUse(grant.id);
    expect(await service.grant(grant.id)).toMatchObject({
      state: 'ended',
      endCause: 'used-up',
      endedBy: 'system',
    });
    expect(over).toEqual([grant.id]);
    expect((await access.verifyToken(token)).kind).toBe('invalid');
    expect(await access.countUse(grant.id)).toBe(false);
  });

  it('says how many are left, and counts nothing for that', async () => {
    await using it = await limited(2);
    const { access, grant } = it;
    expect([await access.usesLeft(grant.id), await access.usesLeft(grant.id)]).toEqual([2, 2]);
    await access.countUse(grant.id);
    expect(await access.usesLeft(grant.id)).toBe(1);
  });

  it('tells its subject and the control room why it ended', async () => {
    await using it = await limited(1);
    const { access, grant, service } = it;
    expect(await access.countUse(grant.id)).toBe(true);
    await access.finishUse(grant.id);
    await service.drain();
    const dm = service.homeserver.dms.get(ALICE)?.roomId;
    for (const room of [CONTROL, dm])
      expect(
        service.homeserver
          .sentTo(room)
          .map(({ content }) => content.body)
          .join('\n'),
      ).toContain('all the requests it was good for were made');
    expect(service.homeserver.alive()).toEqual([]);
    expect(await service.auditFault()).toBeNull();
  });

  it('is counted for good: neither a restart nor a second process gives a use back', async () => {
    await using it = await limited(3);
    const { service, grant } = it;
    expect(await it.access.countUse(grant.id)).toBe(true);
    const beside = createAccessControl(service.services);
    expect(await beside.countUse(grant.id)).toBe(true);
    beside.close();
    await service.restart();
    const after = createAccessControl(service.services);
    expect([await after.countUse(grant.id), await after.countUse(grant.id)]).toEqual([true, false]);
    await after.finishUse(grant.id);
    expect(await service.grant(grant.id)).toMatchObject({ endCause: 'used-up' });
    after.close();
  });

  it('whose process died with its last use ends at the next try', async () => {
    await using it = await limited(1);
    const { service, grant } = it;
    expect(await it.access.countUse(grant.id)).toBe(true);
    await service.restart();
    const after = createAccessControl(service.services);
    expect((await after.verifyToken(it.token)).kind).toBe('valid');
    expect(await after.countUse(grant.id)).toBe(false);
    expect(await service.grant(grant.id)).toMatchObject({ endCause: 'used-up' });
    after.close();
  });

  it('lets nothing pass that could not be counted', async () => {
    await using it = await limited(2);
    const broken = {
      ...it.service.services,
      ledger: { ...it.service.ledger, use: () => Promise.reject(new MintwardenError('state', 'full')) },
    };
    const access = createAccessControl(broken);
    await access.verifyToken(it.token);
    await expect(access.countUse(it.grant.id)).rejects.toMatchObject({ code: 'state' });
    expect(await it.service.ledger.uses(it.grant.id)).toBe(0);
    expect([
      await it.access.countUse(it.grant.id),
      await it.access.countUse(it.grant.id),
      await it.access.countUse(it.grant.id),
    ]).toEqual([true, true, false]);
    access.close();
  });

  it('that was revoked has none left', async () => {
    await using it = await limited(2);
    await it.service.revoke(it.grant);
    expect(await it.access.countUse(it.grant.id)).toBe(false);
    expect(await it.service.ledger.uses(it.grant.id)).toBe(0);
  });
});
