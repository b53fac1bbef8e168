import { type Listed, MemberList } from './member-list.ts';

/** Something that ends at a time unless it is over before. */
export interface Expiring extends Listed {
  /** Milliseconds by the timer’s own clock. */
  readonly deadline: number;
  /** Called once, when it is removed already. */
  onExpired(): void;
}

/** One timer for all deadlines: checked a few times a second, since a timer for each would cost more than its precision is worth. */
export interface CoarseTimer {
  /** Milliseconds that only go forward, for deadlines. */
  now(): number;
  add(entry: Expiring): void;
  delete(entry: Expiring): void;
  close(): void;
}

const TICK_MS = 100;

/** A timer that runs while anything waits. */
export function coarseTimer(): CoarseTimer {
  const entries = new MemberList<Expiring>();
  let interval: NodeJS.Timeout | undefined;
  const tick = (): void => {
    const now = performance.now();
    for (const entry of entries.snapshot())
      if (entry.deadline <= now && entries.delete(entry)) entry.onExpired();
    if (entries.size > 0) return;
    clearInterval(interval);
    interval = undefined;
  };
  return {
    now: () => performance.now(),
    add(entry) {
      entries.add(entry);
      interval ??= setInterval(tick, TICK_MS).unref();
    },
    delete: (entry) => void entries.delete(entry),
    close() {
      clearInterval(interval);
      entries.clear();
    },
  };
}
