import { describe, expect, it } from 'vitest';
import { trustIdentity } from '../../src/lifecycle/trust-identity.ts';
import { Service } from './support/harness.ts';
import { ADMIN, CONTROL } from './support/homeserver.ts';

const by = 'operator:root' as const;

describe('an identity confirmed at the machine', () => {
  it('counts from then on; the audit and the control room tell who said so', async () => {
    await using service = await Service.start();
    const { homeserver, ledger } = service;
    await service.mint();
    await service.drain();
    const first = (await ledger.pin(ADMIN))?.masterKey;
    homeserver.setKeys(ADMIN, { masterKey: 'new' });
    await expect(service.mint()).rejects.toMatchObject({ code: 'recipient-unusable' });

    expect(await trustIdentity(service.services, { userId: ADMIN, masterKey: 'new', by })).toBe(first);
    await service.restart();
    await service.drain();
    expect(await service.ledger.pin(ADMIN)).toMatchObject({ masterKey: 'new' });
    expect((await service.mint()).state).toBe('live');
    const audit = (await service.ledger.audit(0, 1_000)).filter((row) => row.action === 'identity-pinned');
    expect(audit).toMatchObject([
      { actor: 'system', data: { user: ADMIN, masterKey: first } },
      { actor: by, subject: ADMIN, data: { user: ADMIN, masterKey: 'new', before: first } },
    ]);
    expect(await service.auditFault()).toBeNull();
    const told = homeserver
      .sentTo(CONTROL)
      .filter((event) => event.content.body.includes('confirmed by the operator “root”'));
    expect(told).toMatchObject([{ encrypted: true, content: { body: expect.stringContaining('`new`') } }]);
  });

  it('that counts already is not told again', async () => {
    await using service = await Service.start();
    await trustIdentity(service.services, { userId: ADMIN, masterKey: 'one', by });
    await expect(
      trustIdentity(service.services, { userId: ADMIN, masterKey: 'one', by }),
    ).rejects.toMatchObject({ code: 'conflict' });
    expect(await service.ledger.audit(0, 10)).toHaveLength(1);
  });
});
