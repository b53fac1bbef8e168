import { setTimeout as sleep } from 'node:timers/promises';
import { OPS } from '../../lifecycle/support/homeserver.ts';
import { MESSAGES_PATH, SYNC_PATH } from './answers.ts';
import { read } from './client.ts';
import { peakMb, residentMb } from './process-figures.ts';
import { mint, type Stage, warmUp } from './stage.ts';

const SYNCS = 6;
const SETTLE_MS = 3_000;

/** What the gateway keeps resident: at rest, after load, and after large answers. */
export async function measureMemory(stage: Stage): Promise<void> {
  const { report } = stage;
  const gateway = await stage.freshGateway(await stage.upstream());
  const [one, all] = [await mint(gateway, [OPS]), await mint(gateway, 'all')];
  const settled = async (): Promise<number> => {
    await sleep(SETTLE_MS);
    return residentMb(gateway.pid);
  };
  report.say('\nResident memory of the gateway, with what the benchmark has of the service:');
  report.figure('memory.idle', 'at rest', await settled(), { atMost: null }, ' MB');
  await warmUp(stage, gateway.url + MESSAGES_PATH, one);
  report.figure('memory.loaded', 'after load of 64 connections', await settled(), { atMost: null }, ' MB');
  for (let left = SYNCS; left > 0; left--) await read(gateway.url + SYNC_PATH, all);
  report.figure(
    'memory.synced',
    `after ${String(SYNCS)} /sync of 15 MB`,
    await settled(),
    { atMost: null },
    ' MB',
  );
  report.figure('memory.peak', 'peak', await peakMb(gateway.pid), { atMost: null }, ' MB');
}
