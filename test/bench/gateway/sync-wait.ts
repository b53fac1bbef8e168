import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { STATE_PATH, SYNC_PATH } from './answers.ts';
import { against, median } from './figures.ts';
import type { Pinned } from './pinned.ts';
import type { Tools } from './tools.ts';
import { runWrk } from './wrk.ts';

const SYNCS_EACH = 3;
const LOAD_SECONDS = 4;

/** The longest that another grant's small requests wait while a 15 MB `/sync` is filtered. */
export async function measureSyncWait(
  tools: Tools,
  ours: Pinned,
  tokens: { readonly all: string; readonly one: string; readonly other: string },
  rounds: number,
): Promise<void> {
  console.log(
    '\nThe longest wait of another request (the quietest round: what else the machine does can only add):',
  );
  const calm: number[] = [];
  const all: number[] = [];
  const one: number[] = [];
  for (let round = 0; round < rounds; round++) {
    calm.push(await longestWait(null));
    all.push(await longestWait(tokens.all));
    one.push(await longestWait(tokens.one));
  }
  console.log(
    `  ${'with no /sync at all'.padEnd(62)} ${Math.min(...calm).toFixed(2)} ms, median ${median(calm).toFixed(2)} ms`,
  );
  against('with 15 MB of /sync filtered, all of it in scope', Math.min(...all), { below: 20 }, ' ms');
  against('with 15 MB of /sync filtered, one room in scope', Math.min(...one), { below: 20 }, ' ms');

  async function longestWait(token: string | null): Promise<number> {
    const load = runWrk(tools, {
      url: ours.url + STATE_PATH,
      token: tokens.other,
      connections: 1,
      seconds: LOAD_SECONDS,
    });
    await sleep(500);
    for (let left = token === null ? 0 : SYNCS_EACH; left > 0; left--) {
      await readSync(ours, token ?? '');
      await sleep(200);
    }
    return (await load).maxMs;
  }
}

async function readSync(ours: Pinned, token: string): Promise<void> {
  const asked = request(`${ours.url}${SYNC_PATH}`, { headers: { authorization: `Bearer ${token}` } }).end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  if (response.statusCode !== 200) throw new Error(`/sync was answered ${String(response.statusCode)}.`);
  response.resume();
  await once(response, 'end');
}
