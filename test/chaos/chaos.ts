/* `npm run chaos`: ten minutes of trouble with the homeserver. `-- --minutes 2 --seed 7` for another course of it. */
import { writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { runChaos } from './run.ts';
import { complaints, summary } from './verdict.ts';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string', default: '1' } },
});
const say = (line: string): void => void writeSync(1, `${line}\n`);
const figures = await runChaos({
  ms: Number(values.minutes) * 60_000,
  seed: Number(values.seed),
  onProgress: say,
});
say(summary(figures));
const found = complaints(figures);
for (const each of found) say(`NOT AS PROMISED: ${each}`);
if (found.length === 0) say('Nothing lost, nothing twice, all as usual again.');
process.exitCode = found.length === 0 ? 0 : 1;
