/** The value at a share of a sorted list: 0.5 is the median. */
export function at(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** The middle of the values. */
export function median(values: readonly number[]): number {
  return at(values, 0.5);
}

/** Prints a figure beside its goal, and whether it is met. */
export function against(
  what: string,
  value: number,
  goal: { readonly atLeast: number } | { readonly below: number },
  unit = '',
): void {
  const met = 'atLeast' in goal ? value >= goal.atLeast : value < goal.below;
  const words = 'atLeast' in goal ? `at least ${String(goal.atLeast)}` : `below ${String(goal.below)}`;
  console.log(
    `  ${what.padEnd(62)} ${value.toFixed(2)}${unit}  (goal: ${words}${unit}) ${met ? 'met' : 'NOT MET'}`,
  );
}
