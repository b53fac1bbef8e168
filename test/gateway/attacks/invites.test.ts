import { expect, test } from 'vitest';
import type { Permission } from '../../../src/domain/permission.ts';
import { ALICE, OPS } from '../support/grants.ts';
import { personalStage } from '../support/personal-homeserver.ts';

// The first that a user may hear of a token is an invite from the bot. Nothing a holder writes may have it
// ignored.
const WIDE: readonly Permission[] = ['account-data:m.*', 'account-data:org.matrix.*', 'account-data:im.*'];
const ME = encodeURIComponent(ALICE);
const ROOM = encodeURIComponent(OPS);

test.each([
  'm.policies',
  'org.matrix.msc3847.policies',
  'm.ignored_user_list',
  'm.invite_permission_config',
  'org.matrix.msc4155.invite_permission_config',
  'org.matrix.msc4380.invite_permission_config',
])('%s is neither written nor read, of the account and of a room, under any wildcard', async (type) => {
  await using s = await personalStage(WIDE);
  const body = JSON.stringify({ 'm.ignore.invites': { sources: [OPS], target: OPS } });
  for (const below of [`account_data/${type}`, `rooms/${ROOM}/account_data/${type}`]) {
    const path = `/_matrix/client/v3/user/${ME}/${below}`;
    expect((await s.ask('PUT', path, { body })).status).toBe(403);
    expect((await s.ask('GET', path)).status).toBe(404);
  }
  expect(s.homeserver.seen).toEqual([]);
});
