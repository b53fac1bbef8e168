import { expect, test } from 'vitest';
import { runChaos } from '../chaos/run.ts';
import { complaints } from '../chaos/verdict.ts';

test('a homeserver that is stopped, killed and silent: nothing lost, nothing twice', async () => {
  expect(complaints(await runChaos({ ms: 7_000, seed: 5 }))).toEqual([]);
});
