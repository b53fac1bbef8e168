import { expect as assertion, vi as vitestVi } from 'vitest';
import { realTime } from '../support/wait.ts';

/** What stands for `vitest` while mutants are run: the same names, with tests that can be run again and again. */
type Hook = () => unknown;
export type Suite = {
  readonly parent: Suite | null;
  readonly name: string;
  readonly hooks: Record<'beforeAll' | 'afterAll' | 'beforeEach' | 'afterEach', Hook[]>;
};
export type Test = { readonly suite: Suite; readonly name: string; readonly run: Hook };

export const tests: Test[] = [];
let current: Suite = newSuite(null, '');

function newSuite(parent: Suite | null, name: string): Suite {
  return { parent, name, hooks: { beforeAll: [], afterAll: [], beforeEach: [], afterEach: [] } };
}

/** Collects the tests of a file under a suite of its own. */
export async function collect(name: string, load: () => Promise<unknown>): Promise<void> {
  current = newSuite(null, name);
  await load();
}

type Body = (...args: never[]) => unknown;
type Each = (table: readonly unknown[]) => (name: string, ...rest: readonly unknown[]) => void;
const bodyOf = (rest: readonly unknown[]): Body => rest.find((each) => typeof each === 'function') as Body;

function describeOne(name: unknown, ...rest: readonly unknown[]): void {
  const outer = current;
  current = newSuite(outer, String(name));
  bodyOf(rest)();
  current = outer;
}

function testOne(name: unknown, ...rest: readonly unknown[]): void {
  const body: Hook = bodyOf(rest);
  tests.push({ suite: current, name: String(name), run: () => body() });
}

function each(one: (name: unknown, ...rest: readonly unknown[]) => void): Each {
  return (table) =>
    (name, ...rest) => {
      const body = bodyOf(rest);
      table.forEach((row, index) => {
        const args = (Array.isArray(row) ? row : [row]) as never[];
        one(`${name} #${index}`, () => body(...args));
      });
    };
}

const skip = (): void => undefined;
const api = <T extends typeof describeOne>(one: T) =>
  Object.assign(one, {
    each: each(one),
    skip,
    skipIf: (isSkipped: unknown) => (isSkipped ? skip : one),
    runIf: (isRun: unknown) => (isRun ? one : skip),
  });
export const describe = api(describeOne);
export const test = api(testOne);
export const it = api((name: unknown, ...rest: readonly unknown[]) => testOne(name, ...rest));
const hook = (kind: keyof Suite['hooks']) => (run: Hook) => void current.hooks[kind].push(run);
export const [beforeAll, afterAll, beforeEach, afterEach] = [
  hook('beforeAll'),
  hook('afterAll'),
  hook('beforeEach'),
  hook('afterEach'),
];

async function retried<T>(
  run: () => T | Promise<T>,
  { timeout = 1_000, interval = 20 }: { timeout?: number; interval?: number } = {},
): Promise<T> {
  for (let left = Math.ceil(timeout / interval); ; left--) {
    try {
      return await run();
    } catch (error) {
      if (left <= 0) throw error;
      await realTime(interval);
    }
  }
}

assertion.extend({
  toMatchInlineSnapshot(received: unknown, snapshot: string) {
    const said = typeof received === 'string' ? `"${received}"` : JSON.stringify(received);
    const plain = (text: string) => text.replace(/\\(.)/g, '$1').replace(/\s+/g, ' ').trim();
    // What is no text is written by vitest in its own way.
    const pass = typeof received !== 'string' || plain(said ?? '') === plain(snapshot);
    return { pass, message: () => `not the snapshot: ${said}` };
  },
});
const checked = (value: unknown): object => Reflect.apply(assertion, undefined, [value]);
const poll = (read: () => unknown, options?: { timeout?: number; interval?: number }) =>
  new Proxy(
    {},
    {
      get:
        (_, matcher: string) =>
        (...args: unknown[]) =>
          retried(async () => {
            const matchers = checked(await read()) as Record<string, (...args: unknown[]) => void>;
            matchers[matcher]?.(...args);
          }, options),
    },
  );
export const expect = Object.assign((value: unknown) => checked(value), assertion, { poll });
export const vi = Object.assign(Object.create(vitestVi) as typeof vitestVi, {
  waitFor: (run: () => unknown, options?: { timeout?: number }) => retried(run, options),
});
