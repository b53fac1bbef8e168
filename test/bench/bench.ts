/* `npm run bench`: how long it takes to be ready and to answer, and how much memory it needs, beside a real Synapse. */
import { readFile } from 'node:fs/promises';
import { command, mint, takeDelivery } from '../harness/control-room.ts';
import { request } from '../harness/holder.ts';
import { setTheStage } from '../harness/stage.ts';

const ROUNDS = 20;

await using stage = await setTheStage();
const starts: number[] = [stage.readyMs];
for (let round = 0; round < 4; round++) {
  await stage.mintwarden.stop();
  starts.push(await stage.mintwarden.start());
}
report('start to ready, ms (goal: under 3000)', starts);

const statuses = await timed(ROUNDS, () => command(stage, '!status'));
report('!status to its reply, as the admin’s client sees it, ms (goal: median under 500)', statuses);

const ids: string[] = [];
const mints = await timed(ROUNDS, async () => {
  ids.push(await mint(stage, `!mint @alice --rooms ${stage.ops} --ttl 10m`));
});
report('!mint to its reply, ms (goal: median under 500)', mints);

const { token } = await takeDelivery(stage, stage.olivia, ids.at(-1) ?? '');
const path = `/rooms/${encodeURIComponent(stage.ops)}/messages?dir=b&limit=5`;
const direct = await timed(200, () =>
  fetch(`${stage.synapse.baseUrl}/_matrix/client/v3${path}`, {
    headers: { authorization: `Bearer ${stage.users.alice.accessToken}` },
  }).then((answer) => answer.text()),
);
const through = await timed(200, () => request(stage, token, 'GET', path));
report('/messages at the homeserver itself, ms', direct);
report('/messages through the gateway, ms', through);
const revoked = performance.now();
await command(stage, `!revoke ${ids.at(-1) ?? ''}`);
console.log(`!revoke to its reply: ${(performance.now() - revoked).toFixed(0)} ms`);
console.log(
  `memory of the service (goal: under 200 MB): ${String(await residentMb(stage.mintwarden.pid ?? 0))} MB resident`,
);

async function timed(rounds: number, run: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const begun = performance.now();
    await run();
    times.push(performance.now() - begun);
  }
  return times;
}

function report(what: string, times: readonly number[]): void {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): string =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(0);
  console.log(`${what}: median ${at(0.5)}, best ${at(0)}, worst ${at(1)} (of ${String(times.length)})`);
}

async function residentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${String(pid)}/status`, 'utf8');
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
}
