import { expect, test } from 'vitest';
import { DEFAULT_MEMORY_BYTES, memoryLimit, memoryPlan } from '../../../src/gateway/limits/memory-plan.ts';

const MIB = 1_048_576;
const GIB = 1_024 * MIB;

test('more memory never makes less fit, and all of it together stays within what is free', () => {
  let before = memoryPlan(64 * MIB);
  for (let limit = 256 * MIB; limit <= 8 * GIB; limit += 128 * MIB) {
    const plan = memoryPlan(limit);
    expect(plan.heldBytes).toBeGreaterThanOrEqual(before.heldBytes);
    expect(plan.workerHeapMb).toBeGreaterThanOrEqual(before.workerHeapMb);
    expect(plan.answerBytes).toBeLessThanOrEqual(plan.heldBytes);
    expect(plan.answerBytes).toBeGreaterThanOrEqual(8 * MIB);
    if (limit >= 320 * MIB)
      expect(plan.heldBytes + plan.workerHeapMb * MIB).toBeLessThan((limit - 224 * MIB) / 2);
    before = plan;
  }
});

test('processes of its own leave less for answers', () => {
  expect(memoryPlan(GIB, 2).heldBytes).toBeLessThan(memoryPlan(GIB).heldBytes);
});

test('the system’s limit counts where it sets one', () => {
  expect(memoryLimit(300 * MIB, 8 * GIB)).toBe(300 * MIB);
  // What Node says where there is none.
  for (const none of [0, 2 ** 64, 2 ** 53]) expect(memoryLimit(none, 8 * GIB)).toBe(DEFAULT_MEMORY_BYTES);
});
