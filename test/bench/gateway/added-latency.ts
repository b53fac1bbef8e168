import { OPS } from '../../lifecycle/support/homeserver.ts';
import { MESSAGES_PATH, STATE_PATH } from './answers.ts';
import { mint, type Stage, warmUp } from './stage.ts';
import { median } from './statistics.ts';
import { runWrk } from './wrk.ts';

/** What the gateway adds to one request at a time, at the median. */
export async function measureAddedLatency(stage: Stage): Promise<void> {
  const { tools, report, options } = stage;
  const upstream = await stage.upstream();
  const gateway = await stage.gateway();
  const token = await mint(gateway, [OPS]);
  report.say('\nLatency at low load (one request at a time, medians):');
  for (const [name, what, path] of [
    ['latency.pass_through', 'added, pass-through', STATE_PATH],
    ['latency.filter_2', 'added, filtering /messages', MESSAGES_PATH],
  ] as const) {
    await warmUp(stage, gateway.url + path, token);
    const added: number[] = [];
    for (let round = 0; round < options.rounds; round++) {
      const alone = { token, connections: 1, seconds: 1 };
      const direct = await runWrk(tools, { ...alone, url: upstream.url + path });
      const through = await runWrk(tools, { ...alone, url: gateway.url + path });
      added.push(through.p50Ms - direct.p50Ms);
    }
    report.figure(name, what, median(added), { atMost: 0.25 }, ' ms');
  }
}
