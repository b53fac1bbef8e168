import type { GrantId } from '../../domain/ids.ts';
import type { EndRequest } from './end-decision.ts';

/**
 * Grants that were ended while the ledger could not be written. The gateway refuses their tokens although
 * their rows still say `live`; the end is recorded as soon as possible. Kept in memory: a restart forgets
 * them, and the person who revoked was told so.
 */
export type PendingRevocations = {
  has(id: GrantId): boolean;
  add(id: GrantId, ending: EndRequest): void;
  delete(id: GrantId): void;
  all(): readonly (readonly [GrantId, EndRequest])[];
  /** Called when one is added. Returns the way to stop. */
  onAdded(listener: (id: GrantId) => void): () => void;
};

/** Starts with none. */
export function createPendingRevocations(): PendingRevocations {
  const endings = new Map<GrantId, EndRequest>();
  const listeners = new Set<(id: GrantId) => void>();
  return {
    has: (id) => endings.has(id),
    add: (id, ending) => {
      if (endings.has(id)) return;
      endings.set(id, ending);
      for (const listener of listeners) listener(id);
    },
    delete: (id) => void endings.delete(id),
    all: () => [...endings],
    onAdded: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
