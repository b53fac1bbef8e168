import { registerHooks, stripTypeScriptTypes } from 'node:module';
import { readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Suite, Test } from './test-api.ts';

/**
 * Loads the tests of one group and runs them in one of three ways. `coverage`: once as they are, to see which
 * mutants each comes by. `serve`: for each mutant that it is sent, those that come by it. A mutant's id: all of
 * them, with the mutant awake from the first import on. Speaks over IPC.
 */
export type Job = {
  readonly instrumented: Readonly<Record<string, string>>;
  readonly tests: readonly string[];
  /** What a run for coverage found; null before. Tests are named by their place in the order. */
  readonly coverage: Coverage | null;
};
export type Coverage = {
  readonly covering: Readonly<Record<number, readonly number[]>>;
  readonly atImport: readonly number[];
  readonly tookMs: readonly number[];
  readonly files: readonly string[];
  /** Tests that fail as they are. */
  readonly failing: readonly string[];
};
export type Result = { readonly id: number; readonly by: string | null };

const [, , jobFile = '', mode = '', only] = process.argv;
const job = JSON.parse(readFileSync(jobFile, 'utf8')) as Job;
const say = (said: Coverage | Result, then = (): void => undefined): void => void process.send?.(said, then);

let running: Test | null = null;
const covering = new Map<number, Set<Test>>();
const atImport = new Set<number>();
/** The test that each mutant was met in last: the set is asked once a test, not at each call. */
const lastMet: (Test | null | undefined)[] = [];
const state = { active: mode === 'coverage' || mode === 'serve' ? -1 : Number(mode) };
Object.assign(globalThis, {
  __mutants: state,
  __mutant(id: number): boolean {
    if (lastMet[id] === running) return false;
    lastMet[id] = running;
    if (running === null) atImport.add(id);
    else covering.set(id, (covering.get(id) ?? new Set()).add(running));
    return false;
  },
});

/** To look whether it is a mutant's turn costs more than the code itself, where it is a call. */
function comparing(source: string): string {
  const compared = source.replaceAll(/__mutant\((\d+)\)/g, '(__turn.active === $1)');
  return `const __turn = globalThis.__mutants; ${compared}`;
}

const api = new URL('./test-api.ts', import.meta.url).href;
registerHooks({
  resolve(specifier, context, next) {
    const isTests = specifier === 'vitest' && context.parentURL !== api;
    return isTests ? { url: api, shortCircuit: true } : next(specifier, context);
  },
  load(url, context, next) {
    const source = url.startsWith('file:') ? job.instrumented[fileURLToPath(url)] : undefined;
    if (source === undefined) return next(url, context);
    return {
      format: 'module',
      source: stripTypeScriptTypes(mode === 'coverage' ? source : comparing(source)),
      shortCircuit: true,
    };
  },
});

const { collect, tests } = await import('./test-api.ts');
const fc = (await import('fast-check')).default;
fc.configureGlobal({ numRuns: 12 });
const files = only === undefined ? job.tests : (JSON.parse(only) as string[]);
for (const file of files) await collect(file, () => import(pathToFileURL(file).href));

const nameOf = ({ suite, name }: Test): string =>
  [...chain(suite).map((each) => each.name), name].join(' > ');
const chain = (suite: Suite): Suite[] => (suite.parent === null ? [suite] : [...chain(suite.parent), suite]);

/** In ticks of the event loop's clock, which does not run while the process is stopped. */
async function inTime(run: () => unknown, ticks = 100): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  let left = ticks;
  const timer = setInterval(() => {
    if (--left <= 0) reject(new Error('timed out'));
  }, 100);
  try {
    await Promise.race([Promise.resolve().then(run), promise]);
  } finally {
    clearInterval(timer);
  }
}

/** Runs some tests in their order. Gives the first that failed, or all that did. */
async function runTests(some: readonly Test[], all: boolean): Promise<string[]> {
  const failed: string[] = [];
  let open: Suite[] = [];
  const leave = async (suites: readonly Suite[]) => {
    for (const suite of suites.toReversed())
      for (const hook of suite.hooks.afterAll) await inTime(hook).catch(() => undefined);
  };
  for (const test of some) {
    const suites = chain(test.suite);
    running = test;
    try {
      await leave(open.filter((suite) => !suites.includes(suite)));
      const entered = suites.filter((suite) => !open.includes(suite));
      open = suites;
      for (const suite of entered) for (const hook of suite.hooks.beforeAll) await inTime(hook);
      try {
        for (const suite of suites) for (const hook of suite.hooks.beforeEach) await inTime(hook);
        await inTime(test.run);
      } finally {
        for (const suite of suites.toReversed()) for (const hook of suite.hooks.afterEach) await inTime(hook);
      }
    } catch (error) {
      failed.push(nameOf(test));
      if (process.env['MUTATION_SHOW'] !== undefined) console.error(nameOf(test), error);
      if (!all) break;
    }
  }
  await leave(open);
  running = null;
  return failed;
}

process.on('uncaughtException', () => undefined);
process.on('unhandledRejection', () => undefined);
const known = new Set(job.coverage?.failing);
if (mode === 'coverage') {
  const tookMs: number[] = [];
  const failing: string[] = [];
  for (const test of tests) {
    const begun = performance.now();
    failing.push(...(await runTests([test], true)));
    tookMs.push(performance.now() - begun);
  }
  const places = new Map(tests.map((test, place) => [test, place]));
  const found = [...covering].map(
    ([id, some]) => [id, [...some].map((test) => places.get(test) ?? 0)] as const,
  );
  const fileOf = (test: Test): string => chain(test.suite)[0]?.name ?? '';
  say({
    covering: Object.fromEntries(found),
    atImport: [...atImport],
    tookMs,
    files: tests.map(fileOf),
    failing,
  });
} else if (mode === 'serve') {
  const { covering = {}, tookMs = [] } = job.coverage ?? {};
  const judge = async (id: number): Promise<void> => {
    const quickest = (covering[id] ?? []).toSorted((a, b) => (tookMs[a] ?? 0) - (tookMs[b] ?? 0));
    const some = quickest.map((place) => tests[place] as Test).filter((test) => !known.has(nameOf(test)));
    state.active = id;
    const [by = null] = await runTests(some, false);
    state.active = -1;
    say({ id, by });
  };
  process.on('message', (id: number) => void judge(id));
} else {
  const some = tests.filter((test) => !known.has(nameOf(test)));
  const [by = null] = await runTests(some, false);
  say({ id: Number(mode), by }, () => process.exit());
}
