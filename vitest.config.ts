import { defineConfig } from 'vitest/config';

/**
 * Two projects: `unit` is pure and runs in parallel; `real` talks to real Synapses and shares one machine
 * with them, so it comes afterwards and no more than two of its files run at a time: they wait more than they
 * work.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [
            'test/e2e/**',
            'test/matrix/real/**',
            'test/issuers/real/**',
            'test/app/real/**',
            'test/packaging/real/**',
            'test/docs/real/**',
            'node_modules/**',
          ],
          testTimeout: 20_000,
          sequence: { groupOrder: 0 },
          server: { deps: { external: [/\/src\/matrix\/(engine|request)\//] } },
        },
      },
      {
        test: {
          name: 'real',
          include: [
            'test/e2e/**/*.test.ts',
            'test/matrix/real/**/*.test.ts',
            'test/issuers/real/**/*.test.ts',
            'test/app/real/**/*.test.ts',
            'test/packaging/real/**/*.test.ts',
            'test/docs/real/**/*.test.ts',
          ],
          testTimeout: 180_000,
          hookTimeout: 600_000,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
          globalSetup: ['test/harness/shared-synapse.ts'],
          server: { deps: { external: [/\/src\/matrix\/(engine|request)\//] } },
        },
      },
    ],
  },
});
