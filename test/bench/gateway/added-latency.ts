import { MESSAGES_PATH, STATE_PATH } from './answers.ts';
import { against, median } from './figures.ts';
import type { Pinned } from './pinned.ts';
import type { Tools } from './tools.ts';
import { runWrk } from './wrk.ts';

/** What the gateway adds to one request at a time, at the median. */
export async function measureAddedLatency(
  tools: Tools,
  upstream: Pinned,
  ours: Pinned,
  token: string,
  rounds: number,
): Promise<void> {
  console.log('\nLatency at low load (one request at a time, medians):');
  for (const [what, path] of [
    ['pass-through', STATE_PATH],
    ['filtering /messages', MESSAGES_PATH],
  ] as const) {
    const direct: number[] = [];
    const through: number[] = [];
    for (let round = 0; round < rounds; round++) {
      direct.push(
        (await runWrk(tools, { url: upstream.url + path, token, connections: 1, seconds: 1 })).p50Ms,
      );
      through.push((await runWrk(tools, { url: ours.url + path, token, connections: 1, seconds: 1 })).p50Ms);
    }
    against(`added, ${what}`, median(through) - median(direct), { below: 0.4 }, ' ms');
  }
}
