import { writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { createPolicyReloader } from '../../src/app/reload-policy.ts';
import type { Policy } from '../../src/domain/policy.ts';
import { folder, GOOD } from '../config/folder.ts';
import { Service } from '../lifecycle/support/harness.ts';

const HONEST = `${GOOD}policy: { max_ttl: 2h }\n`;
const WITH_MALLORY = HONEST.replace("['@you:example.org']", "['@you:example.org', '@mallory:example.org']");

it('tells of exactly what it takes over, though the file is changed back the moment it was read', async () => {
  await using files = await folder();
  await using service = await Service.start();
  const taken: Policy[] = [];
  let armed = false;
  const env = new Proxy<Record<string, string>>(
    {},
    {
      // The environment is read after the file: whoever watches the file swaps it here.
      ownKeys: () => {
        if (armed) writeFileSync(files.file, HONEST);
        return [];
      },
    },
  );
  const reload = await createPolicyReloader(
    await files.load(),
    env,
    service.services,
    (policy) => void taken.push(policy),
  );
  await files.write('bot.yaml', WITH_MALLORY);
  armed = true;
  const { changes } = await reload('operator:root');
  const toldOfMallory = JSON.stringify(changes).includes('@mallory:example.org');
  expect(taken.at(-1)?.admins.includes('@mallory:example.org' as never) ?? false).toBe(toldOfMallory);
});

it('does not call the policy known that was written while the service started: who was taken off the list is off it', async () => {
  await using files = await folder(WITH_MALLORY);
  await using service = await Service.start();
  const taken: Policy[] = [];
  const started = await files.load();
  await files.write('bot.yaml', HONEST);
  const reload = await createPolicyReloader(
    started,
    {},
    service.services,
    (policy) => void taken.push(policy),
  );
  expect((await reload('operator:root')).changes.find(({ key }) => key === 'admins')).toMatchObject({
    after: '["@you:example.org"]',
  });
  expect(taken.at(-1)?.admins).toEqual(['@you:example.org']);
  expect((await reload('operator:root')).changes).toEqual([]);
});
