import type { GrantId } from '../../domain/ids.ts';

/** One large answer that waits for its turn. */
export type Waiting = { readonly grantId: GrantId; readonly bytes: number };

/**
 * What waits, by grant. Grants take turns, and have one at a time each: a grant that asks for twelve answers delays
 * only itself.
 */
export class TurnQueue<T extends Waiting> {
  /** In the order of their turns. */
  readonly #waiting = new Map<GrantId, T[]>();
  readonly #taken = new Set<GrantId>();

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  add(one: T): void {
    const mine = this.#waiting.get(one.grantId);
    if (mine === undefined) this.#waiting.set(one.grantId, [one]);
    else mine.push(one);
  }

  /** It does not wait any more. */
  remove(one: T): void {
    const mine = this.#waiting.get(one.grantId)?.filter((other) => other !== one) ?? [];
    if (mine.length === 0) this.#waiting.delete(one.grantId);
    else this.#waiting.set(one.grantId, mine);
  }

  /** The grant's turn is over. */
  end(grantId: GrantId): void {
    this.#taken.delete(grantId);
  }

  /**
   * Removes and returns the next one. A grant that has to wait for itself is passed over. If one does not fit, only what
   * `mayOvertake` accepts may pass it; otherwise large ones could wait for ever.
   */
  next(
    fits: (one: T) => boolean,
    mayOvertake: (one: T) => boolean,
    waitsForItself: (one: T) => boolean,
  ): T | null {
    let isBlocked = false;
    for (const [grantId, mine] of this.#waiting) {
      const first = mine[0];
      if (first === undefined || this.#taken.has(grantId) || waitsForItself(first)) continue;
      if (isBlocked ? !mayOvertake(first) : !fits(first)) {
        isBlocked = true;
        continue;
      }
      this.#waiting.delete(grantId);
      if (mine.length > 1) this.#waiting.set(grantId, mine.slice(1));
      this.#taken.add(grantId);
      return first;
    }
    return null;
  }
}
