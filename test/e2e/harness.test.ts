import { expect, test } from 'vitest';
import { matrixRequest } from '../harness/matrix-http.ts';
import { sharedSynapse } from '../harness/shared-synapse.ts';

test('makes users on the shared Synapse, each under a name of its own', async () => {
  const synapse = sharedSynapse();
  const [first, second] = [await synapse.uniqueUser('alice'), await synapse.uniqueUser('alice')];
  expect(first.userId).not.toBe(second.userId);
  const me = await matrixRequest(synapse.baseUrl, 'GET', '/_matrix/client/v3/account/whoami', {
    token: second.accessToken,
  });
  expect(me).toMatchObject({ user_id: second.userId });
});
