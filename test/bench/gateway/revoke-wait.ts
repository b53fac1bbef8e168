import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { OPS } from '../../lifecycle/support/homeserver.ts';
import { STATE_PATH, SYNC_PATH } from './answers.ts';
import { read } from './client.ts';
import type { Question } from './gateway-process.ts';
import { OTHER_CORE, type Pinned } from './pinned.ts';
import { mint, type Stage } from './stage.ts';
import { quantile } from './statistics.ts';
import { runWrk } from './wrk.ts';

const LOAD_CONNECTIONS = 16;
const SETTLE_MS = 40;
const GRANTS_A_ROUND = 40;

/**
 * From the commit of a revocation to the first refusal that arrives at a holder's socket, with other load on
 * the gateway: for a holder who asks without pause, and for one whose `/sync` hangs. An answer of 200 to a
 * request that was sent after the commit is a broken promise, and an error.
 */
export async function measureRevokeWait(stage: Stage): Promise<void> {
  const { tools, report, options } = stage;
  const gateway = await stage.freshGateway(await stage.server('upstream-process.ts', ['hang'], OTHER_CORE));
  const grants = GRANTS_A_ROUND * options.rounds;
  const asking: number[] = [];
  const hanging: number[] = [];
  const seconds = Math.ceil((grants * (SETTLE_MS + 60)) / 1_000) + 1;
  const plan = { token: await mint(gateway, [OPS]), connections: LOAD_CONNECTIONS, seconds };
  const load = tools.wrk === null ? null : runWrk(tools, { ...plan, url: gateway.url + STATE_PATH });
  for (let count = 0; count < grants; count++) {
    const token = await mint(gateway, [OPS]);
    const poll = read(gateway.url + SYNC_PATH, token);
    const refusedAt = askUntilRefused(gateway, token);
    await sleep(SETTLE_MS);
    const { committedAtNs } = (await gateway.ask({ revoke: token } satisfies Question)) as {
      committedAtNs: string;
    };
    const committedAt = BigInt(committedAtNs);
    const refused = await refusedAt;
    if (refused.lastGoodSentAt > committedAt)
      throw new Error('A request sent after the revocation was let through.');
    const cut = await poll;
    if (cut.status !== 401) throw new Error(`A /sync of a revoked grant ended with ${String(cut.status)}.`);
    // From another process it may come before the commit has told everybody.
    asking.push(Math.max(0, Number(refused.at - committedAt) / 1e6));
    hanging.push(Math.max(0, Number(cut.at - committedAt) / 1e6));
  }
  await load;
  report.say(
    `\nFrom a committed revocation to its refusal at the socket, ${String(grants)} grants, under load:`,
  );
  const goal = { atMost: 50 };
  report.say(
    `  ${'median, a holder who asks without pause'.padEnd(62)} ${quantile(asking, 0.5).toFixed(2)} ms`,
  );
  const [askingMs, hangingMs] = [quantile(asking, 0.99), quantile(hanging, 0.99)];
  report.figure('revoke.p99', '99th percentile, a holder who asks without pause', askingMs, goal, ' ms');
  report.figure('revoke.poll_p99', '99th percentile, a /sync that hangs', hangingMs, goal, ' ms');
}

async function askUntilRefused(
  gateway: Pinned,
  token: string,
): Promise<{ at: bigint; lastGoodSentAt: bigint }> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    for (let lastGoodSentAt = 0n; ;) {
      const sentAt = process.hrtime.bigint();
      const seen = await read(gateway.url + STATE_PATH, token, agent);
      if (seen.status === 401) return { at: seen.at, lastGoodSentAt };
      if (seen.status !== 200) throw new Error(`A holder was answered ${String(seen.status)}.`);
      lastGoodSentAt = sentAt;
    }
  } finally {
    agent.destroy();
  }
}
