import { defineConfig } from 'vitest/config';

const REAL = [
  'test/e2e/**/*.test.ts',
  'test/matrix/real/**/*.test.ts',
  'test/issuers/real/**/*.test.ts',
  'test/app/real/**/*.test.ts',
  'test/packaging/real/**/*.test.ts',
  'test/docs/real/**/*.test.ts',
];
const SLOW = ['test/**/*.slow.test.ts'];
const external = [/\/src\/matrix\/(engine|request)\//];

/**
 * Three projects. `unit` is for the inner loop: all of it in this process, its files sharing their modules, so
 * what a test changes for all it puts back. `slow` starts processes and threads, kills them, or tries very
 * many cases. `real` talks to real Synapses and shares one machine with them, so it comes afterwards and no
 * more than two of its files run at a time: they wait more than they work.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [...REAL, ...SLOW, 'node_modules/**'],
          testTimeout: 20_000,
          isolate: false,
          maxWorkers: '100%',
          sequence: { groupOrder: 0 },
          server: { deps: { external } },
        },
      },
      {
        test: {
          name: 'slow',
          include: SLOW,
          testTimeout: 60_000,
          maxWorkers: '100%',
          sequence: { groupOrder: 1 },
          server: { deps: { external } },
        },
      },
      {
        test: {
          name: 'real',
          include: REAL,
          testTimeout: 180_000,
          hookTimeout: 600_000,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
          globalSetup: ['test/harness/shared-synapse.ts'],
          server: { deps: { external } },
        },
      },
    ],
  },
});
