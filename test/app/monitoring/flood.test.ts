import { expect, test } from 'vitest';
import { startMonitoringServer } from '../../../src/app/monitoring/listener.ts';

/** Blocks the one thread, as asking the ledger does. */
function busy(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

test.each(['/metrics', '/ready'])(
  'whoever asks for %s without end does not keep the service busy',
  async (path) => {
    let spentMs = 0;
    const work = async <T>(value: T): Promise<T> => {
      busy(20);
      spentMs += 20;
      return value;
    };
    const told = { notReady: () => work([]), metrics: () => work('up 1\n') };
    const monitoring = await startMonitoringServer({ host: '127.0.0.1', port: 0, hosts: [] }, told);
    try {
      const begun = performance.now();
      let answers = 0;
      const ask = async (): Promise<void> => {
        while (performance.now() - begun < 1_000) {
          expect((await fetch(`http://127.0.0.1:${String(monitoring.port)}${path}`)).status).toBe(200);
          answers++;
        }
      };
      await Promise.all(Array.from({ length: 20 }, ask));
      expect(answers).toBeGreaterThan(20);
      expect(spentMs).toBeLessThan(0.2 * (performance.now() - begun));
    } finally {
      await monitoring.close();
    }
  },
);

test('what failed is tried again, and does not stand for long', async () => {
  let tries = 0;
  const told = {
    notReady: async () => [],
    metrics: async () => {
      if (++tries === 1) throw new Error('not now');
      return 'up 1\n';
    },
  };
  const monitoring = await startMonitoringServer({ host: '127.0.0.1', port: 0, hosts: [] }, told);
  try {
    const ask = async () => (await fetch(`http://127.0.0.1:${String(monitoring.port)}/metrics`)).status;
    expect(await ask()).toBe(500);
    await expect.poll(ask).toBe(200);
  } finally {
    await monitoring.close();
  }
});
