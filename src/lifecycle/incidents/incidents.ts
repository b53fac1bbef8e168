import type { Incident, IncidentKind } from '../../domain/incident.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';

/** An incident was opened or resolved, or superseded by another, in which case nothing was fixed. */
export type IncidentUpdate = {
  readonly kind: 'opened' | 'resolved' | 'superseded';
  readonly incident: Incident;
};

/** The open incidents of the service as a whole. */
export type Incidents = {
  /** Opens an incident. If it is open already, only its words change. */
  open(kind: IncidentKind, sentence: string, next: string): void;
  /** Resolves it; `superseded`: because something else is wrong instead. */
  resolve(kind: IncidentKind, how?: 'resolved' | 'superseded'): void;
  has(kind: IncidentKind): boolean;
  /** Oldest first. */
  current(): readonly Incident[];
  /** Called when one is opened or resolved. Returns an unsubscribe function. */
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
      const incident = { kind, since: known?.since ?? clock.now(), sentence, next };
      current.set(kind, incident);
      if (known?.sentence === sentence) return;
      log.error('trouble', { kind, what: sentence, next });
      if (known === undefined) tell({ kind: 'opened', incident });
    },
    resolve(kind, how = 'resolved') {
      const incident = current.get(kind);
      if (incident === undefined) return;
      current.delete(kind);
      log.info(how === 'resolved' ? 'trouble over' : 'trouble gave way', {
        kind,
        ms: Math.max(0, clock.now() - incident.since),
      });
      tell({ kind: how, incident });
    },
    has: (kind) => current.has(kind),
    current: () => [...current.values()],
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
