import { describe, expect, it } from 'vitest';
import type { UserId } from '../../src/domain/ids.ts';
import { locate } from '../../src/lifecycle/locate.ts';
import { list, show, status } from '../../src/lifecycle/report.ts';
import { Service } from './support/harness.ts';
import { ADMIN, ALICE } from './support/homeserver.ts';

describe('a grant', () => {
  it('is found by its id as people write it, and by its beginning', async () => {
    await using service = await Service.start();
    const { id } = await service.mint();
    for (const text of [id, id.toLowerCase(), id.slice(0, 4), ` ${id.slice(0, 3)}-${id.slice(3)} `]) {
      expect((await locate(service.services, text, null)).id).toBe(id);
    }
  });

  it('that was mistyped is guessed at, never taken', async () => {
    await using service = await Service.start();
    const { id } = await service.mint();
    const slip = id.slice(0, -1) + (id.endsWith('7') ? '8' : '7');
    await expect(locate(service.services, slip, null)).rejects.toMatchObject({
      code: 'not-found',
      hint: `Did you mean ${id}?`,
    });
    const swapped = `${id[1]}${id[0]}${id.slice(2)}`;
    if (swapped !== id)
      await expect(locate(service.services, swapped, null)).rejects.toMatchObject({
        hint: `Did you mean ${id}?`,
      });
  });

  it('of somebody else does not exist for a subject', async () => {
    await using service = await Service.start();
    const { id } = await service.mint();
    expect((await locate(service.services, id, ALICE)).id).toBe(id);
    const mallory = '@mallory:example.org' as UserId;
    await expect(locate(service.services, id, mallory)).rejects.toMatchObject({
      code: 'not-found',
      hint: expect.not.stringContaining(id),
    });
    await expect(locate(service.services, id.slice(0, 4), mallory)).rejects.toMatchObject({
      code: 'not-found',
    });
  });

  it('is not sought for text that can be none', async () => {
    await using service = await Service.start();
    await expect(locate(service.services, 'abc', null)).rejects.toMatchObject({ code: 'usage' });
    await expect(locate(service.services, '%%%%%%', null)).rejects.toMatchObject({ code: 'usage' });
  });
});

describe('what is shown', () => {
  it('says how far the notice got, and holds no sealed copy', async () => {
    await using service = await Service.start();
    const { homeserver } = service;
    const grant = await service.mint();
    expect((await show(service.services, grant)).notice.reach).toBe('waiting');
    homeserver.autoJoin = false;
    await service.drain();
    expect((await show(service.services, grant)).notice.reach).toBe('invited');
    const dm = homeserver.dms.get(ALICE);
    if (dm !== undefined) homeserver.dms.set(ALICE, { ...dm, membership: 'join' });
    expect((await show(service.services, grant)).notice.reach).toBe('joined');
    const notice = await service.messageOf(grant.id, 'notice');
    if (notice?.eventId) homeserver.read.add(notice.eventId);
    const report = await show(service.services, grant);
    expect(report.notice.reach).toBe('read');
    expect(report.delivery).toMatchObject({ state: 'waiting', problem: 'not-joined' });
    expect(report.grant.sealedToken).toBeNull();
    expect(report.leases.map((lease) => lease.sealed)).toEqual([null]);
  });

  it('counts what is alive and what waits', async () => {
    await using service = await Service.start();
    const grant = await service.mint();
    expect(await status(service.services)).toMatchObject({
      counts: { live: 1, grantsEver: 1 },
      messagesWaiting: 3,
      killing: 0,
    });
    await service.revoke(grant);
    expect(await status(service.services)).toMatchObject({ counts: { live: 0 }, killing: 1 });
    expect(await list(service.services)).toEqual([]);
    expect(await list(service.services, { states: ['ended'], minter: ADMIN })).toMatchObject([
      { id: grant.id, sealedToken: null },
    ]);
  });
});
