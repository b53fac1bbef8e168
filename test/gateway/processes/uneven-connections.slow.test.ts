import { Agent } from 'node:http';
import { expect, it, vi } from 'vitest';
import { OPS } from '../../lifecycle/support/homeserver.ts';
import { type Got, processesStage, type ProcessesStage } from './stage.ts';
import { realTime } from '../../support/wait.ts';

const STATE = `/_matrix/client/v3/rooms/${encodeURIComponent(OPS)}/state/m.room.name`;
const SYNC = '/_matrix/client/v3/sync?since=s1&timeout=30000';
/** What a grant may have open at the same time, where nothing else is said. */
const MOST = 64;
const ANSWERS_WITHIN_MS = 300;

/** Connections of the first process and of the second: while the other is stopped, the rest are answered. */
async function sortedConnections(stage: ProcessesStage): Promise<[Agent[], Agent[]]> {
  const all = Array.from({ length: 3 * MOST }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
  await Promise.all(all.map((agent) => stage.ask('/health', null, { agent })));
  const [, second = 0] = stage.processes.pids;
  const answered = new Set<Agent>();
  process.kill(second, 'SIGSTOP');
  const asked = all.map(async (agent) => {
    await stage.ask('/health', null, { agent });
    answered.add(agent);
  });
  // Those of a process that was stopped show by their silence alone.
  await realTime(ANSWERS_WITHIN_MS);
  const first = [...answered];
  process.kill(second, 'SIGCONT');
  await Promise.all(asked);
  return [first, all.filter((agent) => !first.includes(agent))];
}

it('connections of a grant that fall on the processes unevenly are served as by one gateway', async () => {
  await using stage = await processesStage(2);
  stage.homeserver.answer((seen) => (seen.path.endsWith('/sync') ? undefined : { name: 'Ops' }));
  const { token, grant } = await stage.mint();
  const [first, second] = await sortedConnections(stage);
  expect(first.length).toBeGreaterThanOrEqual(MOST);

  // Each asks again as soon as it is answered.
  const uneven = [...first.slice(0, 50), ...second.slice(0, MOST - 50)];
  const statuses = await Promise.all(
    uneven.map(async (agent) => {
      const seen: Got['status'][] = [];
      for (let times = 0; times < 20; times++) seen.push((await stage.ask(STATE, token, { agent })).status);
      return seen;
    }),
  );
  expect(new Set(statuses.flat())).toEqual(new Set([200]));

  // All that a grant may have open can be with one process, and then the other has none.
  const before = stage.homeserver.seen.length;
  const polls = first.slice(0, MOST).map((agent) => stage.ask(SYNC, token, { agent }));
  await vi.waitFor(() => expect(stage.homeserver.seen.length - before).toBe(MOST), 5_000);
  for (const agent of second.slice(0, 3)) expect((await stage.ask(STATE, token, { agent })).status).toBe(429);
  await stage.service.revoke(await stage.service.grant(grant.id));
  for (const { status } of await Promise.all(polls)) expect(status).toBe(401);
  for (const one of [...first, ...second]) one.destroy();
});
