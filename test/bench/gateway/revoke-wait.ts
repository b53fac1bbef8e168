import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { STATE_PATH, SYNC_PATH } from './answers.ts';
import { OPS } from '../../lifecycle/support/homeserver.ts';
import { against, at } from './figures.ts';
import type { Question } from './gateway-process.ts';
import type { Pinned } from './pinned.ts';
import type { Tools } from './tools.ts';
import { runWrk } from './wrk.ts';

const LOAD_CONNECTIONS = 16;
const SETTLE_MS = 40;

/**
 * From the commit of a revocation to the first refusal that arrives at a holder's socket, with other load on
 * the gateway: for a holder who asks without pause, and for one whose `/sync` hangs. An answer of 200 to a
 * request that was sent after the commit is a broken promise, and an error.
 */
export async function measureRevokeWait(
  tools: Tools,
  ours: Pinned,
  loadToken: string,
  grants: number,
): Promise<void> {
  const asking: number[] = [];
  const hanging: number[] = [];
  const seconds = Math.ceil((grants * (SETTLE_MS + 60)) / 1_000) + 1;
  const load =
    tools.wrk === null
      ? null
      : runWrk(tools, {
          url: ours.url + STATE_PATH,
          token: loadToken,
          connections: LOAD_CONNECTIONS,
          seconds,
        });
  for (let count = 0; count < grants; count++) {
    const { token } = (await ours.ask({ mint: [OPS] } satisfies Question)) as { token: string };
    const poll = ask(new Agent(), ours.url + SYNC_PATH, token);
    const refusedAt = askUntilRefused(ours, token);
    await sleep(SETTLE_MS);
    const { committedAtNs } = (await ours.ask({ revoke: token } satisfies Question)) as {
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
  console.log(
    `\nFrom a committed revocation to its refusal at the socket, ${String(grants)} grants, under load:`,
  );
  console.log(`  ${'median, a holder who asks without pause'.padEnd(62)} ${at(asking, 0.5).toFixed(2)} ms`);
  against('99th percentile, a holder who asks without pause', at(asking, 0.99), { below: 50 }, ' ms');
  against('99th percentile, a /sync that hangs', at(hanging, 0.99), { below: 50 }, ' ms');
}

type Seen = { readonly status: number; readonly at: bigint };

async function askUntilRefused(ours: Pinned, token: string): Promise<{ at: bigint; lastGoodSentAt: bigint }> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    for (let lastGoodSentAt = 0n; ;) {
      const sentAt = process.hrtime.bigint();
      const seen = await ask(agent, ours.url + STATE_PATH, token);
      if (seen.status === 401) return { at: seen.at, lastGoodSentAt };
      if (seen.status !== 200) throw new Error(`A holder was answered ${String(seen.status)}.`);
      lastGoodSentAt = sentAt;
    }
  } finally {
    agent.destroy();
  }
}

async function ask(agent: Agent, url: string, token: string): Promise<Seen> {
  const asked = request(url, { agent, headers: { authorization: `Bearer ${token}` } }).end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  const at = process.hrtime.bigint();
  response.resume();
  await once(response, 'end');
  return { status: response.statusCode ?? 0, at };
}
