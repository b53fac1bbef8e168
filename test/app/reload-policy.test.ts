import { describe, expect, it } from 'vitest';
import { createPolicyReloader } from '../../src/app/reload-policy.ts';
import type { Policy } from '../../src/domain/policy.ts';
import { folder, GOOD } from '../config/folder.ts';
import { Service } from '../lifecycle/support/harness.ts';
import { CONTROL } from '../lifecycle/support/homeserver.ts';

async function running(env: Record<string, string> = {}) {
  const it = await folder();
  const service = await Service.start();
  const taken: Policy[] = [];
  const reload = await createPolicyReloader(
    await it.load(env),
    env,
    service.services,
    (policy) => void taken.push(policy),
  );
  const told = async () => {
    await service.drain();
    return service.homeserver
      .sentTo(CONTROL)
      .filter((event) => event.content.body.startsWith('The policy was changed'));
  };
  return Object.assign(it, { service, taken, reload, told });
}

describe('policy read again while the service runs', () => {
  it('counts from then on; the audit and the control room tell what became of what, and by whom', async () => {
    await using it = await running();
    await using _service = it.service;
    await it.write('bot.yaml', `${GOOD}policy: { max_ttl: 2h, protected_subjects: ['@ceo:example.org'] }\n`);
    expect(await it.reload('operator:root')).toEqual({
      changes: [
        { key: 'policy.max_ttl', before: '1w', after: '2h' },
        { key: 'policy.protected_subjects', before: '[]', after: '["@ceo:example.org"]' },
      ],
      afterRestart: [],
    });
    expect(it.taken).toMatchObject([{ maxTtlMs: 7_200_000, protectedSubjects: ['@ceo:example.org'] }]);
    const audit = (await it.service.ledger.audit(0, 1_000)).filter(
      ({ action }) => action === 'policy-changed',
    );
    expect(audit).toMatchObject([{ actor: 'operator:root', data: { 'policy.max_ttl': ['1w', '2h'] } }]);
    expect(await it.service.auditFault()).toBeNull();
    const [message] = await it.told();
    expect(message).toMatchObject({ encrypted: true });
    expect(message?.content.body).toContain('`policy.max_ttl`: “1w” became “2h”');
    // The same once more: nothing is new, and nobody is told.
    expect(await it.reload('operator:root')).toEqual({ changes: [], afterRestart: [] });
    expect(await it.told()).toHaveLength(1);
  });

  it('is taken over whole or not at all', async () => {
    await using it = await running();
    await using _service = it.service;
    await it.write('bot.yaml', `${GOOD}policy: { max_ttl: 2h, default_ttl: 3h }\n`);
    await expect(it.reload('operator:root')).rejects.toThrow(/default_ttl is longer than policy.max_ttl/);
    await it.write('bot.yaml', `${GOOD}policy: { max_ttl: 2h, nonsense: 1 }\n`);
    await expect(it.reload('operator:root')).rejects.toThrow(/bot.yaml:1\d: policy.nonsense is no key/);
    expect(it.taken).toEqual([]);
    expect(await it.told()).toEqual([]);
    await it.write('bot.yaml', `${GOOD}policy: { max_ttl: 2h }\n`);
    expect((await it.reload('operator:root')).changes).toHaveLength(1);
  });

  it('does not count where it cannot be written down', async () => {
    await using it = await running();
    await using _service = it.service;
    const { ledger } = it.service;
    const broken = new Proxy(ledger, {
      get: (target, name) =>
        name === 'commit' ? () => Promise.reject(new Error('full')) : Reflect.get(target, name),
    });
    const reload = await createPolicyReloader(
      await it.load(),
      {},
      { ...it.service.services, ledger: broken },
      (policy) => void it.taken.push(policy),
    );
    await it.write('bot.yaml', `${GOOD}policy: { max_ttl: 2h }\n`);
    await expect(reload('operator:root')).rejects.toThrow('full');
    expect(it.taken).toEqual([]);
  });

  it('leaves what only a restart can change, and says so; a secret is in nothing of it', async () => {
    await using it = await running();
    await using _service = it.service;
    const other = GOOD.replace(
      'access_token_file: secrets/bot.token',
      'access_token: syt_nobody_may_see_this',
    );
    await it.write('bot.yaml', `${other}log: { level: debug }\npolicy: { lease: 1h }\n`);
    const reloaded = await it.reload('operator:SIGHUP');
    expect(reloaded.changes).toEqual([{ key: 'policy.lease', before: '6h', after: '1h' }]);
    expect(reloaded.afterRestart.toSorted()).toEqual([
      'bot.access_token',
      'bot.access_token_file',
      'log.level',
    ]);
    expect(JSON.stringify([reloaded, await it.told(), await it.service.ledger.audit(0, 100)])).not.toContain(
      'nobody_may_see',
    );
  });
});
