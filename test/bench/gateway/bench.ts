// Measures the gateway beside its peers: npm run bench:gateway [-- --quick] [-- --long]. README.md says what
// each figure means.
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { LOBBY, OPS } from '../../lifecycle/support/homeserver.ts';
import { measureAddedLatency } from './added-latency.ts';
import type { Question } from './gateway-process.ts';
import { measureMemory } from './memory.ts';
import { nginxPeer, nginxUpstream } from './nginx.ts';
import { MEASURED_CORE, OTHER_CORE, type Pinned, startNode } from './pinned.ts';
import { measureRevokeWait } from './revoke-wait.ts';
import { measureSyncWait } from './sync-wait.ts';
import { measureThroughput } from './throughput.ts';
import { findTools } from './tools.ts';

const quick = process.argv.includes('--quick');
const long = process.argv.includes('--long');
const rounds = quick ? 3 : 7;
const seconds = quick ? 2 : 4;

const tools = await findTools();
if (tools.taskset !== null)
  execFileSync(tools.taskset, ['-acp', String(OTHER_CORE), String(process.pid)], { stdio: 'ignore' });
const { nginx } = tools;
const folder = await mkdtemp(join(tmpdir(), 'mintwarden-bench-'));
await using cleanup = new AsyncDisposableStack();
cleanup.defer(() => rm(folder, { recursive: true, force: true }));
console.log(
  `Node ${process.version}, ${cpus()[0]?.model ?? 'a processor'}, ${String(cpus().length)} cores; load before: ${load()}`,
);

const upstream = cleanup.use(
  nginx === null
    ? await startNode(tools, OTHER_CORE, 'upstream-process.ts', [])
    : await nginxUpstream(tools, folder),
);
const ours = await gatewayBefore(upstream);

if (tools.wrk !== null) {
  const node = async (file: string): Promise<Pinned> =>
    cleanup.use(await startNode(tools, MEASURED_CORE, file, [upstream.url]));
  const servers = {
    plain: nginx === null ? null : cleanup.use(await nginxPeer(tools, folder, upstream.url, false)),
    auth: nginx === null ? null : cleanup.use(await nginxPeer(tools, folder, upstream.url, true)),
    fastify: await node('peers/fastify-process.ts'),
    httpProxy: await node('peers/http-proxy-process.ts'),
    bare: await node('peers/bare-forwarder-process.ts'),
    ours,
  };
  const token = await mint(ours, [OPS, LOBBY]);
  await measureThroughput(tools, servers, token, rounds, seconds);
  await measureAddedLatency(tools, upstream, ours, token, rounds);
  await measureSyncWait(
    tools,
    ours,
    { all: await mint(ours, 'all'), one: await mint(ours, [OPS]), other: token },
    quick ? 3 : 5,
  );
  if (long) {
    // One that has not filtered 15 MB before: a leak could hide in the memory which that left behind.
    const fresh = await gatewayBefore(upstream);
    await measureMemory(tools, fresh, await mint(fresh, [OPS]));
  }
}

const hanging = cleanup.use(await startNode(tools, OTHER_CORE, 'upstream-process.ts', ['hang']));
const revoking = await gatewayBefore(hanging);
await measureRevokeWait(tools, revoking, await mint(revoking, [OPS]), quick ? 50 : 300);
console.log(`\nLoad after: ${load()}`);

async function gatewayBefore(server: Pinned): Promise<Pinned> {
  const flags = (process.env['BENCH_NODE_FLAGS'] ?? '').split(' ').filter((flag) => flag !== '');
  return cleanup.use(await startNode(tools, MEASURED_CORE, 'gateway-process.ts', [server.url], flags));
}

async function mint(gateway: Pinned, rooms: 'all' | readonly string[]): Promise<string> {
  const { token } = (await gateway.ask({ mint: rooms } satisfies Question)) as { token: string };
  return token;
}

function load(): string {
  return loadavg()
    .map((one) => one.toFixed(1))
    .join(' ');
}
