import { OPS } from '../../lifecycle/support/homeserver.ts';
import { MESSAGES_PATH } from './answers.ts';
import { residentMb } from './process-figures.ts';
import { mint, type Stage } from './stage.ts';
import { runWrk } from './wrk.ts';

const REQUESTS = 1_000_000;
const SLICE_SECONDS = 10;

/** Resident memory over a million filtered requests: read after each ten seconds of them. */
export async function measureSoak(stage: Stage): Promise<void> {
  const { tools, report } = stage;
  const gateway = await stage.gateway();
  const token = await mint(gateway, [OPS]);
  report.say(`\nResident memory of the gateway over ${String(REQUESTS)} filtered requests:`);
  const read: number[] = [];
  for (let requests = 0; requests < REQUESTS;) {
    const load = await runWrk(tools, {
      url: gateway.url + MESSAGES_PATH,
      token,
      connections: 64,
      seconds: SLICE_SECONDS,
    });
    if (load.bad + load.late > 0 || load.requests === 0)
      throw new Error(
        `${String(load.bad)} of ${String(load.requests)} answers were bad, ${String(load.late)} late.`,
      );
    requests += load.requests;
    read.push(await residentMb(gateway.pid));
    report.say(`  after ${String(requests).padStart(8)}  ${String(read.at(-1))} MB`);
  }
  const half = Math.ceil(read.length / 2);
  const [early, late] = [Math.max(...read.slice(0, half)), Math.max(...read.slice(half))];
  report.say(`  highest of the first half ${String(early)} MB, of the second ${String(late)} MB`);
  report.figure('soak.growth', 'highest of the second half to that of the first', late / early, {
    atMost: 1.05,
  });
}
