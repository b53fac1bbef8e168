import { MESSAGES_PATH } from './answers.ts';
import type { Pinned } from './pinned.ts';
import { residentMb } from './process-figures.ts';
import type { Tools } from './tools.ts';
import { runWrk } from './wrk.ts';

const REQUESTS = 1_000_000;
const SLICE_SECONDS = 10;

/** Resident memory over a million filtered requests: read after each ten seconds of them. */
export async function measureMemory(tools: Tools, ours: Pinned, token: string): Promise<void> {
  console.log(`\nResident memory of the gateway over ${String(REQUESTS)} filtered requests:`);
  const read: { readonly requests: number; readonly mb: number }[] = [
    { requests: 0, mb: await residentMb(ours.pid) },
  ];
  for (let requests = 0; requests < REQUESTS;) {
    const load = await runWrk(tools, {
      url: ours.url + MESSAGES_PATH,
      token,
      connections: 64,
      seconds: SLICE_SECONDS,
    });
    if (load.bad + load.late > 0 || load.requests === 0)
      throw new Error(
        `${String(load.bad)} of ${String(load.requests)} answers were bad, ${String(load.late)} late.`,
      );
    requests += load.requests;
    read.push({ requests, mb: await residentMb(ours.pid) });
    console.log(`  after ${String(requests).padStart(8)}  ${String(read.at(-1)?.mb)} MB`);
  }
  const half = read.slice(1);
  const early = half.slice(0, Math.ceil(half.length / 2)).map(({ mb }) => mb);
  const late = half.slice(Math.ceil(half.length / 2)).map(({ mb }) => mb);
  console.log(
    `  highest of the first half ${String(Math.max(...early))} MB, of the second ${String(Math.max(...late))} MB (flat: no more)`,
  );
}
