import { type ChildProcess, fork } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { GROUPS } from './groups.ts';
import { instrument, type Mutant } from './mutants.ts';
import type { Coverage, Job, Result } from './mutation-process.ts';

/**
 * Changes the source in one small place after the other and looks whether a test notices.
 * `node test/mutation/run.ts [GROUP…] [--file PART] [--only ID,…]`
 */
const ROOT = resolve(import.meta.dirname, '../..');
const WORKER = join(import.meta.dirname, 'mutation-process.ts');
/** A mutant that loops is noticed: by the processor time it takes, since the machine may be busy. */
const LOOPS_AFTER_TICKS = 2_500;
const BASELINE_TICKS = 60_000;
const AT_ONCE = Number(process.env['MUTATION_WORKERS'] ?? 2);
/** What a mutant leaves behind must not decide over too many others. */
const MUTANTS_A_PROCESS = 200;

type Verdict = 'noticed' | 'survived' | 'not run';

function cpuTicks(pid: number | undefined): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return Number(fields[11]) + Number(fields[12]);
  } catch {
    return 0;
  }
}

function start(job: string, ...args: readonly string[]): ChildProcess {
  return fork(WORKER, [job, ...args], {
    cwd: ROOT,
    execArgv: ['--no-warnings'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
}

/** The next message; null where the process died, or was killed because it loops. */
function next<T>(child: ChildProcess, ticks = LOOPS_AFTER_TICKS): Promise<T | null> {
  return new Promise((done) => {
    const begun = cpuTicks(child.pid);
    const watch = setInterval(() => {
      if (cpuTicks(child.pid) - begun > ticks) child.kill('SIGKILL');
    }, 1_000);
    const end = (said: T | null) => {
      clearInterval(watch);
      child.removeAllListeners('message').removeAllListeners('exit');
      done(said);
    };
    child.once('message', (said) => end(said as T));
    child.once('exit', () => end(null));
  });
}

async function runGroup(name: string, filePart: string, only: ReadonlySet<number> | null): Promise<void> {
  const group = GROUPS[name];
  if (group === undefined) throw new Error(`There is no group ${name}: ${Object.keys(GROUPS).join(', ')}`);
  const folder = mkdtempSync(join(tmpdir(), 'mutation-'));
  const job = join(folder, 'job.json');
  const mutants: Mutant[] = [];
  const instrumented: Record<string, string> = {};
  for (const file of globSync([...group.sources], { cwd: ROOT })
    .filter((each) => each.includes(filePart))
    .toSorted()) {
    const made = instrument(file, readFileSync(join(ROOT, file), 'utf8'), mutants.length);
    instrumented[join(ROOT, file)] = made.source;
    mutants.push(...made.mutants);
  }
  const tests = globSync([...group.tests], { cwd: ROOT })
    .toSorted()
    .map((each) => join(ROOT, each));
  const write = (coverage: Coverage | null): void =>
    writeFileSync(job, JSON.stringify({ instrumented, tests, coverage } satisfies Job));
  write(null);
  try {
    const verdicts = new Map<number, Verdict>();
    const first = start(job, 'coverage');
    const coverage = await next<Coverage>(first, BASELINE_TICKS);
    first.kill();
    if (coverage === null) throw new Error('The tests could not be run.');
    write(coverage);
    for (const test of coverage.failing) console.log(`left out, it fails as it is: ${test}`);
    const wanted = mutants.filter(({ id }) => only === null || only.has(id));
    const importing = new Set(coverage.atImport);
    const atImport = wanted.filter(({ id }) => importing.has(id)).map(({ id }) => id);
    const inCalls = wanted
      .filter(({ id }) => !importing.has(id) && coverage.covering[id] !== undefined)
      .map(({ id }) => id);
    for (const { id } of wanted)
      if (!importing.has(id) && coverage.covering[id] === undefined) verdicts.set(id, 'not run');
    console.log(
      `${name}: ${wanted.length} mutants, ${inCalls.length} in calls, ${atImport.length} at import`,
    );
    /** The files with tests that come by any mutant of the same source. */
    const testsNear = (id: number): readonly string[] => {
      const places = mutants
        .filter(({ file }) => file === mutants[id]?.file)
        .flatMap((mutant) => coverage.covering[mutant.id] ?? []);
      const near = new Set(places.map((place) => coverage.files[place] ?? ''));
      return near.size === 0 ? tests : [...near];
    };
    const note = (id: number, by: string | null): void => {
      verdicts.set(id, by === null ? 'survived' : 'noticed');
      if (by === null) console.log(told('survived', mutants[id]));
      if (verdicts.size % 100 === 0)
        console.log(`${verdicts.size}/${wanted.length} ${new Date().toISOString()}`);
    };
    const lane = async (): Promise<void> => {
      while (inCalls.length > 0) {
        const child = start(job, 'serve');
        for (let count = 0; count < MUTANTS_A_PROCESS && inCalls.length > 0; count++) {
          const id = inCalls.shift() as number;
          child.send(id);
          const result = await next<Result>(child);
          note(id, result === null ? 'looped' : result.by);
          if (result === null) break;
        }
        child.kill();
      }
      while (atImport.length > 0) {
        const id = atImport.shift() as number;
        const child = start(job, String(id), JSON.stringify(testsNear(id)));
        const result = await next<Result>(child);
        child.kill();
        note(id, result === null ? 'did not start' : result.by);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    report(name, wanted, verdicts);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function told(verdict: Verdict, mutant: Mutant | undefined): string {
  if (mutant === undefined) return verdict;
  const { id, file, line, before, after } = mutant;
  return `${verdict} ${id} ${file}:${line}  ${before}  →  ${after}`;
}

function report(name: string, mutants: readonly Mutant[], verdicts: ReadonlyMap<number, Verdict>): void {
  const count = (verdict: Verdict) => mutants.filter(({ id }) => verdicts.get(id) === verdict).length;
  for (const mutant of mutants)
    if (verdicts.get(mutant.id) === 'not run') console.log(told('not run', mutant));
  const noticed = count('noticed');
  const share = ((100 * noticed) / mutants.length).toFixed(1);
  console.log(
    `${name}: ${noticed} of ${mutants.length} noticed (${share} %), ${count('survived')} survived, ${count('not run')} not run`,
  );
}

const args = process.argv.slice(2);
const valueOf = (flag: string): string | null =>
  args.includes(flag) ? (args[args.indexOf(flag) + 1] ?? '') : null;
const values = new Set([valueOf('--file'), valueOf('--only')]);
const named = args.filter((each) => !each.startsWith('--') && !values.has(each));
const only = valueOf('--only');
for (const name of named.length === 0 ? Object.keys(GROUPS) : named)
  await runGroup(name, valueOf('--file') ?? '', only === null ? null : new Set(only.split(',').map(Number)));
