/** Chance that can be had again: the same seed, the same sequence. */
export type Random = {
  /** From 0 up to, not including, 1. */
  next(): number;
  /** From 0 up to, not including, `count`. */
  int(count: number): number;
  chance(probability: number): boolean;
  pick<T>(list: readonly T[]): T;
  /** Each with the same probability. */
  some<T>(list: readonly T[], probability: number): T[];
};

/** Mulberry32: 32 bits of state, good enough to wander about with. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const int = (count: number): number => Math.floor(next() * count);
  return {
    next,
    int,
    chance: (probability) => next() < probability,
    pick: <T>(list: readonly T[]): T => list[int(list.length)] as T,
    some: (list, probability) => list.filter(() => next() < probability),
  };
}
