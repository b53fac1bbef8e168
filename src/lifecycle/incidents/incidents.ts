import type { Incident, IncidentKind } from '../../domain/incident.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';

/** One that begins, is over, or gave way to another: nothing was mended then. */
export type IncidentUpdate = {
  readonly kind: 'opened' | 'resolved' | 'superseded';
  readonly trouble: Incident;
};

/** What is wrong right now. */
export type Incidents = {
  /** Notes that it is so; a second time it changes the words at most. */
  open(kind: IncidentKind, sentence: string, next: string): void;
  /** Notes that it is so no more; `gave-way`: because something else is wrong in its place. */
  resolve(kind: IncidentKind, how?: 'resolved' | 'superseded'): void;
  has(kind: IncidentKind): boolean;
  /** Oldest first. */
  current(): readonly Incident[];
  /** Called when one begins or is over. Returns the way to stop. */
  onChange(listener: (news: IncidentUpdate) => void): () => void;
};

/** Keeps the list in memory; each change is one line in the log. */
export function createIncidents({ clock, log }: { readonly clock: Clock; readonly log: Log }): Incidents {
  const current = new Map<IncidentKind, Incident>();
  const listeners = new Set<(news: IncidentUpdate) => void>();
  const tell = (news: IncidentUpdate): void => {
    for (const listener of Array.from(listeners)) {
      try {
        listener(news);
      } catch (error) {
        log.error('a listener to incidents failed', {
          problem: error instanceof Error ? error.name : 'unknown',
        });
      }
    }
  };
  return {
    open(kind, sentence, next) {
      const known = current.get(kind);
      const trouble = { kind, since: known?.since ?? clock.now(), sentence, next };
      current.set(kind, trouble);
      if (known?.sentence === sentence) return;
      log.error('trouble', { kind, what: sentence, next });
      if (known === undefined) tell({ kind: 'opened', trouble });
    },
    resolve(kind, how = 'resolved') {
      const trouble = current.get(kind);
      if (trouble === undefined) return;
      current.delete(kind);
      log.info(how === 'resolved' ? 'trouble over' : 'trouble gave way', {
        kind,
        ms: Math.max(0, clock.now() - trouble.since),
      });
      tell({ kind: how, trouble });
    },
    has: (kind) => current.has(kind),
    current: () => [...current.values()],
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
