import { expect, test } from 'vitest';
import { runOverSockets } from './over-sockets.ts';
import { run } from './run.ts';

const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000);

test('ten thousand mutated answers: nothing is taken that undici refuses or reads otherwise', async () => {
  const { findings, cases, bothAccepted, bothReused, bothRefused } = await run(seed, 10_000);
  expect({ seed, findings }).toEqual({ seed, findings: [] });
  // It would mean nothing if nearly all were refused, or none.
  expect(bothAccepted / cases).toBeGreaterThan(0.1);
  expect(bothReused / cases).toBeGreaterThan(0.05);
  expect(bothRefused / cases).toBeGreaterThan(0.1);
}, 60_000);

test('five hundred of them by real sockets: none is any part of the next answer', async () => {
  const { findings, cases, kept } = await runOverSockets(seed, 500);
  expect({ seed, findings }).toEqual({ seed, findings: [] });
  expect(kept / cases).toBeGreaterThan(0.02);
}, 60_000);
