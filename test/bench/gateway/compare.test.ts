import { expect, test } from 'vitest';
import { gain } from './compare.ts';
import { PARTS, readOptions } from './options.ts';
import { serviceFlags } from './service-flags.ts';

test('a figure gains when it goes up, or down where less is better', () => {
  const ratio = (value: number) => ({ value, unit: '', atLeast: 0.8 });
  const memory = (value: number) => ({ value, unit: ' MB', atMost: null });
  expect(gain(ratio(0.8), ratio(0.88))).toBeCloseTo(0.1);
  expect(gain(ratio(0.8), ratio(0.72))).toBeCloseTo(-0.1);
  expect(gain(memory(220), memory(200))).toBeCloseTo(0.1);
  expect(gain(memory(200), memory(250))).toBeCloseTo(-0.2);
});

test('parts can be named, and the gateway is measured with the flags of the service', () => {
  const options = readOptions(['--only', 'latency,mixed', '--rounds', '2']);
  expect([[...options.parts], options.rounds]).toEqual([['latency', 'mixed'], 2]);
  expect(options.flags).toEqual(serviceFlags());
  expect(serviceFlags().every((flag) => flag.startsWith('--'))).toBe(true);
  expect(readOptions([]).parts).toEqual(new Set(PARTS.filter((part) => part !== 'soak')));
  expect(() => readOptions(['--only', 'nothing'])).toThrow('--only nothing');
});
