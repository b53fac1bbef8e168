import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { OPS } from '../../lifecycle/support/homeserver.ts';
import { SYNC_PATH } from './answers.ts';
import { OTHER_CORE } from './pinned.ts';
import { cpuSeconds, peakMb, residentMb } from './process-figures.ts';
import { mint, type Stage } from './stage.ts';

const POLLS = 5_000;
/** Fewer than a listening socket's backlog. */
const AT_ONCE = 100;
const SETTLE_MS = 5_000;
const WATCHED_MS = 5_000;

/** What 5,000 long-polls cost that nothing comes of. */
export async function measureIdlePolls(stage: Stage): Promise<void> {
  const { report } = stage;
  const upstream = await stage.server('upstream-process.ts', ['hang'], OTHER_CORE);
  const gateway = await stage.freshGateway(upstream, { limits: { concurrentPerGrant: 2 * POLLS } });
  const token = await mint(gateway, [OPS]);
  const before = await residentMb(gateway.pid);
  const sockets: Socket[] = [];
  let ended = 0;
  for (let opened = 0; opened < POLLS; opened += AT_ONCE)
    sockets.push(...(await openPolls(gateway.url, token, () => ended++)));
  await sleep(SETTLE_MS);
  const cpuBefore = await cpuSeconds(gateway.pid);
  await sleep(WATCHED_MS);
  const cpu = ((await cpuSeconds(gateway.pid)) - cpuBefore) / (WATCHED_MS / 1_000);
  const resident = await residentMb(gateway.pid);
  if (ended > 0) throw new Error(`${String(ended)} of ${String(POLLS)} long-polls ended.`);
  report.say(`\nMemory of ${String(POLLS)} idle long-polls (${String(before)} MB before):`);
  report.figure('polls.resident', 'resident', resident, { atMost: 300 }, ' MB');
  report.figure('polls.peak', 'peak', await peakMb(gateway.pid), { atMost: null }, ' MB');
  report.say(`  ${'processor time while they idle'.padEnd(62)} ${(100 * cpu).toFixed(1)} %`);
  for (const socket of sockets) socket.removeAllListeners().destroy();
}

async function openPolls(url: string, token: string, onEnd: () => void): Promise<Socket[]> {
  const { hostname, port } = new URL(url);
  const head = `GET ${SYNC_PATH}?since=s1&timeout=120000 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n\r\n`;
  const opening = Array.from({ length: AT_ONCE }, async () => {
    const socket = connect(Number(port), hostname);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.once('connect', resolve);
    socket.once('error', reject);
    await promise;
    socket.once('data', onEnd);
    socket.once('close', onEnd);
    socket.write(head);
    return socket;
  });
  return Promise.all(opening);
}
