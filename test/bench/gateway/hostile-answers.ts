import { OPS } from '../../lifecycle/support/homeserver.ts';
import { MESSAGES_PATH } from './answers.ts';
import { read } from './client.ts';
import { HOSTILITIES } from './hostile.ts';
import { OTHER_CORE } from './pinned.ts';
import { peakMb, residentMb } from './process-figures.ts';
import { mint, type Stage } from './stage.ts';

const TIMES = 3;

/** The most memory that the gateway ever holds when the homeserver answers with what is costly to read. */
export async function measureHostileAnswers(stage: Stage): Promise<void> {
  const { report } = stage;
  report.say(`\nPeak memory of a gateway that is answered 30 MB built to be costly, ${String(TIMES)} times:`);
  for (const hostility of HOSTILITIES) {
    const upstream = await stage.server('upstream-process.ts', [hostility], OTHER_CORE);
    const gateway = await stage.freshGateway(upstream);
    const token = await mint(gateway, [OPS]);
    const before = await residentMb(gateway.pid);
    const begun = performance.now();
    const statuses: number[] = [];
    for (let times = 0; times < TIMES; times++)
      statuses.push((await read(gateway.url + MESSAGES_PATH, token)).status);
    const ms = ((performance.now() - begun) / TIMES).toFixed(0);
    const what = `${hostility} (${String(before)} MB before; ${statuses.join(', ')}; ${ms} ms each)`;
    const name = `hostile.${hostility.replaceAll('-', '_')}`;
    report.figure(name, what, await peakMb(gateway.pid), { atMost: 300 }, ' MB');
    await Promise.all([gateway[Symbol.asyncDispose](), upstream[Symbol.asyncDispose]()]);
  }
}
