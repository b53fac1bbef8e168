// Measures the gateway beside its peers: npm run bench:gateway. README.md says what each figure means.
import { execFileSync } from 'node:child_process';
import { cpus, loadavg } from 'node:os';
import { measureAddedLatency } from './added-latency.ts';
import { compareFigures, saveFigures } from './compare.ts';
import { measureHostileAnswers } from './hostile-answers.ts';
import { measureIdlePolls } from './idle-polls.ts';
import { measureMemory } from './memory.ts';
import { measureMixedReads } from './mixed-reads.ts';
import { type Part, PARTS, readOptions } from './options.ts';
import { OTHER_CORE } from './pinned.ts';
import { createReport, reportLine } from './report.ts';
import { measureRevokeWait } from './revoke-wait.ts';
import { measureSoak } from './soak.ts';
import { openStage, type Stage } from './stage.ts';
import { measureSyncTime } from './sync-time.ts';
import { measureSyncWait } from './sync-wait.ts';
import { measureThroughput } from './throughput.ts';
import { findTools } from './tools.ts';

const MEASURES: Readonly<Record<Part, (stage: Stage) => Promise<void>>> = {
  throughput: measureThroughput,
  latency: measureAddedLatency,
  mixed: measureMixedReads,
  'sync-wait': measureSyncWait,
  'sync-time': measureSyncTime,
  revoke: measureRevokeWait,
  polls: measureIdlePolls,
  hostile: measureHostileAnswers,
  memory: measureMemory,
  soak: measureSoak,
};
const NEEDS_WRK: ReadonlySet<Part> = new Set<Part>(['throughput', 'latency', 'sync-wait', 'memory', 'soak']);

const options = readOptions(process.argv.slice(2));
const report = createReport(options);
const tools = await findTools(report.say);
if (tools.taskset !== null)
  execFileSync(tools.taskset, ['-acp', String(OTHER_CORE), String(process.pid)], { stdio: 'ignore' });
report.say(
  `Node ${process.version}, ${cpus()[0]?.model ?? 'a processor'}, ${String(cpus().length)} cores; load before: ${load()}\nFlags of the gateway: ${options.flags.join(' ')}`,
);
for (const part of PARTS) {
  if (!options.parts.has(part) || (NEEDS_WRK.has(part) && tools.wrk === null)) continue;
  // Servers of one part would be idle neighbours of the next, with memory and timers of their own.
  await using stage = await openStage(options, tools, report);
  await MEASURES[part](stage);
}
report.say(`\nLoad after: ${load()}`);
if (options.compare && compareFigures(report).length > 0) process.exitCode = 1;
if (options.save) saveFigures(report.figures, options.flags);
if (options.json) console.log(reportLine(report.figures, options.flags));

function load(): string {
  return loadavg()
    .map((one) => one.toFixed(1))
    .join(' ');
}
