import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createAccessControl } from '../../src/lifecycle/access/access.ts';
import { heldAccess } from '../../src/lifecycle/access/with-lockdown.ts';
import type { Held } from '../../src/lifecycle/anchors/lockdown.ts';
import { mint } from '../../src/lifecycle/mint/mint.ts';
import { Service } from './support/harness.ts';

let service: Service;
let held: Held | null;

const OLD: Held = { kind: 'old-copy' };
const CLOCK: Held = { kind: 'clock', worry: { kind: 'far-ahead', refusing: true, byMs: 1e12 } };

beforeEach(async () => {
  service = await Service.start();
  held = null;
  Object.assign(service.world, { held: () => held });
});

afterEach(async () => {
  await service[Symbol.asyncDispose]();
});

describe.each([OLD, CLOCK])('while it is held ($kind)', (why) => {
  test('no token counts, none is called dead, and all is as before when it is over', async () => {
    await service.mint();
    await service.drain();
    const { token } = service.tokensSeen()[0]!;
    const access = heldAccess(createAccessControl(service.world), () => held);
    const good = await access.present(token);
    expect(good.kind).toBe('good');
    if (good.kind !== 'good') return;
    const { id } = good.access.grant;
    held = why;
    expect(await access.present(token)).toEqual({ kind: 'held', grantId: null });
    expect(await access.present('mwt_nothing')).toEqual({ kind: 'held', grantId: null });
    // What was let in a moment before gets no further either.
    await expect(async () => access.upstream(id)).rejects.toMatchObject({ code: 'state' });
    await expect(access.refresh(id)).rejects.toMatchObject({ code: 'state' });
    await expect(access.use(id)).rejects.toMatchObject({ code: 'state' });
    expect(await access.upstreamRefused(id, 'lease' as never)).toBe('unavailable');
    held = null;
    expect((await access.present(token)).kind).toBe('good');
    access.close();
  });

  test('nothing is minted, and the homeserver is not asked for anything', async () => {
    held = why;
    await expect(mint(service.world, service.request())).rejects.toMatchObject({ code: 'not-allowed' });
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
