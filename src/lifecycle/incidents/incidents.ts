import type { Trouble, TroubleKind } from '../../domain/incident.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';

/** One that begins, is over, or gave way to another: nothing was mended then. */
export type TroubleNews = { readonly kind: 'began' | 'over' | 'gave-way'; readonly trouble: Trouble };

/** What is wrong right now. */
export type Troubles = {
  /** Notes that it is so; a second time it changes the words at most. */
  begin(kind: TroubleKind, sentence: string, next: string): void;
  /** Notes that it is so no more; `gave-way`: because something else is wrong in its place. */
  over(kind: TroubleKind, how?: 'over' | 'gave-way'): void;
  has(kind: TroubleKind): boolean;
  /** Oldest first. */
  now(): readonly Trouble[];
  /** Called when one begins or is over. Returns the way to stop. */
  onChange(listener: (news: TroubleNews) => void): () => void;
};

/** Keeps the list in memory; each change is one line in the log. */
export function createTroubles({ clock, log }: { readonly clock: Clock; readonly log: Log }): Troubles {
  const current = new Map<TroubleKind, Trouble>();
  const listeners = new Set<(news: TroubleNews) => void>();
  const tell = (news: TroubleNews): void => {
    for (const listener of Array.from(listeners)) {
      try {
        listener(news);
      } catch (error) {
        log.error('a listener to troubles failed', {
          problem: error instanceof Error ? error.name : 'unknown',
        });
      }
    }
  };
  return {
    begin(kind, sentence, next) {
      const known = current.get(kind);
      const trouble = { kind, since: known?.since ?? clock.now(), sentence, next };
      current.set(kind, trouble);
      if (known?.sentence === sentence) return;
      log.error('trouble', { kind, what: sentence, next });
      if (known === undefined) tell({ kind: 'began', trouble });
    },
    over(kind, how = 'over') {
      const trouble = current.get(kind);
      if (trouble === undefined) return;
      current.delete(kind);
      log.info(how === 'over' ? 'trouble over' : 'trouble gave way', {
        kind,
        ms: Math.max(0, clock.now() - trouble.since),
      });
      tell({ kind: how, trouble });
    },
    has: (kind) => current.has(kind),
    now: () => [...current.values()],
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
