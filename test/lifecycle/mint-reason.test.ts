import { describe, expect, it } from 'vitest';
import { Service } from './support/harness.ts';

describe('a reason', () => {
  it('is no longer than the subject gets to read', async () => {
    await using service = await Service.start();
    await expect(service.mint({ reason: 'x'.repeat(301) })).rejects.toMatchObject({ code: 'usage' });
    expect((await service.mint({ reason: 'é'.repeat(300) })).state).toBe('live');
  });

  it('is one that can be seen, where policy asks for one', async () => {
    await using service = await Service.start();
    service.policy = { ...service.policy, reasonRequired: true };
    await expect(service.mint({ reason: '\u3164\u200b' })).rejects.toMatchObject({
      code: 'refused-by-policy',
    });
  });
});
