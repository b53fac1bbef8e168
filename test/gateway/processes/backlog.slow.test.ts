import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { until } from '../../support/wait.ts';
import { processesStage } from './stage.ts';

/** Clients repeat a connection that was not taken after a second. */
const BEFORE_RETRY_MS = 900;

it('has connections wait while it is busy, more of them than Node does by itself', async () => {
  const allowed = Number(readFileSync('/proc/sys/net/core/somaxconn', 'utf8'));
  const count = Math.min(1_000, allowed);
  await using stage = await processesStage(1);
  const [pid = 0] = stage.processes.pids;
  process.kill(pid, 'SIGSTOP');
  const sockets: Socket[] = [];
  let connected = 0;
  try {
    for (let opened = 0; opened < count; opened++)
      sockets.push(
        connect(stage.processes.port, '127.0.0.1', () => connected++).on('error', () => undefined),
      );
    await until(() => connected === count, BEFORE_RETRY_MS);
  } finally {
    process.kill(pid, 'SIGCONT');
    for (const socket of sockets) socket.destroy();
  }
  expect(connected).toBe(count);
});
