import { describe, expect, it } from 'vitest';
import { renewLease } from '../../src/lifecycle/access/renew-lease.ts';
import { watchSubjectsOnce } from '../../src/lifecycle/subjects/watch-subjects.ts';
import { Service } from './support/harness.ts';
import { ALICE, CONTROL } from './support/homeserver.ts';

const changes: readonly (readonly [string, (service: Service) => void])[] = [
  ['protected by policy', (service) => (service.policy = { ...service.policy, protectedSubjects: [ALICE] })],
  [
    'one who may mint',
    (service) => (service.policy = { ...service.policy, admins: [...service.policy.admins, ALICE] }),
  ],
  ['a server administrator', (service) => service.homeserver.change(ALICE, { admin: true })],
];

describe('a grant whose subject became', () => {
  it.each(changes)('%s ends, and both they and the control room are told why', async (_name, change) => {
    await using service = await Service.start();
    const { id } = await service.mint();
    await service.drain();
    change(service);
    await watchSubjectsOnce(service.services);
    await service.drain();
    expect(await service.grant(id)).toMatchObject({
      state: 'ended',
      endCause: 'no-longer-allowed',
      endedBy: 'system',
    });
    expect(service.homeserver.alive()).toEqual([]);
    for (const roomId of [CONTROL, service.homeserver.dms.get(ALICE)?.roomId])
      expect(service.homeserver.sentTo(roomId).at(-1)?.content.body).toContain(
        'policy no longer allows tokens for this user',
      );
  });

  it.each(changes)('%s gets no further token at the homeserver', async (_name, change) => {
    await using service = await Service.start();
    const { id } = await service.mint();
    await service.drain();
    change(service);
    const made = service.homeserver.tokens.size;
    await expect(renewLease(service.services, id)).rejects.toMatchObject({ code: 'not-allowed' });
    expect(service.homeserver.tokens.size).toBe(made);
  });

  it('a server administrator lives on where policy names them', async () => {
    await using service = await Service.start();
    service.policy = { ...service.policy, privilegedSubjects: [ALICE] };
    const { id } = await service.mint();
    service.homeserver.change(ALICE, { admin: true });
    await watchSubjectsOnce(service.services);
    expect((await service.grant(id)).state).toBe('live');
  });
});
