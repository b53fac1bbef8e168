import { setTimeout as sleep } from 'node:timers/promises';
import { OPS } from '../../lifecycle/support/homeserver.ts';
import { STATE_PATH, SYNC_PATH } from './answers.ts';
import { read } from './client.ts';
import { mint, type Stage, warmUp } from './stage.ts';
import { median } from './statistics.ts';
import { runWrk } from './wrk.ts';

const SYNCS_EACH = 3;
const LOAD_SECONDS = 4;

/** The longest that another grant's small requests wait while a 15 MB `/sync` is filtered. */
export async function measureSyncWait(stage: Stage): Promise<void> {
  const { tools, report, options } = stage;
  const gateway = await stage.gateway();
  const [other, all, one] = [
    await mint(gateway, [OPS]),
    await mint(gateway, 'all'),
    await mint(gateway, [OPS]),
  ];
  await warmUp(stage, gateway.url + STATE_PATH, other);
  const waits = { none: [] as number[], all: [] as number[], one: [] as number[] };
  for (let round = 0; round < options.rounds; round++) {
    waits.none.push(await longestWait(null));
    waits.all.push(await longestWait(all));
    waits.one.push(await longestWait(one));
  }
  report.say(
    '\nThe longest wait of another request (the quietest round: what else the machine does can only add):',
  );
  report.say(
    `  ${'with no /sync at all'.padEnd(62)} ${Math.min(...waits.none).toFixed(2)} ms, median ${median(waits.none).toFixed(2)} ms`,
  );
  const goal = { atMost: 20 };
  const [inAll, inOne] = [Math.min(...waits.all), Math.min(...waits.one)];
  report.figure('sync.wait_all', 'with 15 MB of /sync filtered, all of it in scope', inAll, goal, ' ms');
  report.figure('sync.wait_one', 'with 15 MB of /sync filtered, one room in scope', inOne, goal, ' ms');

  async function longestWait(token: string | null): Promise<number> {
    const load = runWrk(tools, {
      url: gateway.url + STATE_PATH,
      token: other,
      connections: 1,
      seconds: LOAD_SECONDS,
    });
    await sleep(500);
    for (let left = token === null ? 0 : SYNCS_EACH; left > 0; left--) {
      const { status } = await read(gateway.url + SYNC_PATH, token ?? '');
      if (status !== 200) throw new Error(`/sync was answered ${String(status)}.`);
      await sleep(200);
    }
    return (await load).maxMs;
  }
}
