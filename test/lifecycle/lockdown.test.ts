import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createAccessControl } from '../../src/lifecycle/access/access.ts';
import type { Lockdown } from '../../src/lifecycle/lockdown.ts';
import { mint } from '../../src/lifecycle/mint/mint.ts';
import { Service } from './support/harness.ts';

let service: Service;
let held: Lockdown | null;

const OLD: Lockdown = { kind: 'old-copy' };
const CLOCK: Lockdown = { kind: 'clock', problem: { kind: 'far-ahead', refusing: true, byMs: 1e12 } };

beforeEach(async () => {
  service = await Service.start();
  held = null;
  Object.assign(service.services, { lockdown: () => held });
});

afterEach(async () => {
  await service[Symbol.asyncDispose]();
});

describe.each([OLD, CLOCK])('while it is held ($kind)', (why) => {
  test('no token counts, none is called dead, and all is as before when it is over', async () => {
    await service.mint();
    await service.drain();
    const { token } = service.tokensSeen()[0]!;
    const access = createAccessControl(service.services);
    const good = await access.verifyToken(token);
    expect(good.kind).toBe('valid');
    if (good.kind !== 'valid') return;
    const { id } = good.access.grant;
    held = why;
    expect(await access.verifyToken(token)).toEqual({ kind: 'locked-down', grantId: null });
    expect(await access.verifyToken('mwt_nothing')).toEqual({ kind: 'locked-down', grantId: null });
    // What was let in a moment before gets no further either.
    await expect(async () => access.upstreamToken(id)).rejects.toMatchObject({ code: 'state' });
    await expect(access.refreshRooms(id)).rejects.toMatchObject({ code: 'state' });
    await expect(access.countUse(id)).rejects.toMatchObject({ code: 'state' });
    expect(await access.replaceUpstreamToken(id, 'lease' as never)).toBe('unavailable');
    held = null;
    expect((await access.verifyToken(token)).kind).toBe('valid');
    access.close();
  });

  test('nothing is minted, and the homeserver is not asked for anything', async () => {
    held = why;
    await expect(mint(service.services, service.request())).rejects.toMatchObject({ code: 'not-allowed' });
    expect((await service.ledger.counts()).grantsEver).toBe(0);
  });

  test('a token that waits is not delivered, and a revocation goes through', async () => {
    const grant = await service.mint();
    held = why;
    await service.drain();
    expect(service.tokensSeen()).toEqual([]);
    await service.revoke(grant);
    expect((await service.grant(grant.id)).state).toBe('ended');
    held = null;
    await service.pass(120_000);
    expect(service.tokensSeen()).toEqual([]);
  });
});
