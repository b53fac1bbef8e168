import type { Backlog } from '../../ports/ledger.ts';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';

/** What the numbers are asked of, when somebody looks. */
export type ServiceSources = {
  readonly version: string;
  readonly now: () => number;
  readonly backlog: (now: number) => Promise<Backlog>;
  /** Everything that can be wrong, and what is. */
  readonly troubles: { readonly all: readonly string[]; readonly now: () => readonly string[] };
  /** Whether no token is honoured, as after an old copy of the state was brought back. */
  readonly held: () => boolean;
  /** Epoch ms; 0: never. */
  readonly syncedAt: () => number;
  readonly reapedAt: () => number;
};

/** The numbers of the bot's process. */
export type ServiceMetrics = {
  readonly registry: Registry;
  /** Reads everything anew. To be called before the registry is shown. Never throws. */
  readonly look: () => Promise<void>;
};

/** Gauges that are read when somebody looks, and what Node says of the process. */
export function serviceMetrics(sources: ServiceSources): ServiceMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[] = []): Gauge<L> =>
    new Gauge({ name: `mintwarden_${name}`, help, labelNames: [...labelNames], registers });

  gauge('build_info', 'The version that runs; always 1.', ['version']).set({ version: sources.version }, 1);
  const grants = gauge('grants', 'Grants by state.', ['state']);
  const leases = gauge('upstream_tokens', 'Upstream tokens by state: `killing` and `unkillable` may be alive.', ['state']);
  const due = gauge('due_rows', 'Rows of the ledger whose time has come.', ['table']);
  const overdue = gauge('due_oldest_seconds', 'For how long the longest of them has been due.', ['table']);
  const waiting = gauge('outbox_waiting', 'Messages that the homeserver has not taken yet.');
  const outboxAge = gauge('outbox_oldest_seconds', 'The age of the oldest of them.');
  const audit = gauge('audit_rows', 'Rows of the audit.');
  const unreadable = gauge('ledger_unreadable_rows', 'Rows that this version does not understand.');
  const troubles = gauge('trouble', 'What is wrong right now: 1 where it is.', ['kind']);
  const held = gauge('held', 'Whether no token is honoured until an operator or the clock has settled something: 1 or 0.');
  const syncLag = gauge('sync_lag_seconds', 'How long ago the homeserver last answered the bot’s sync.');
  const reaperLag = gauge('reaper_lag_seconds', 'How long ago the reaper last looked at the ledger.');
  const failed = gauge('scrape_failures', 'Whether the ledger could not be asked for these numbers: 1 or 0.');

  const since = (at: number | null, now: number): number => (at === null || at === 0 ? 0 : Math.max(0, now - at) / 1_000);
  const look = async (): Promise<void> => {
    const now = sources.now();
    const wrong = new Set(sources.troubles.now());
    for (const kind of sources.troubles.all) troubles.set({ kind }, wrong.has(kind) ? 1 : 0);
    held.set(sources.held() ? 1 : 0);
    syncLag.set(since(sources.syncedAt(), now));
    reaperLag.set(since(sources.reapedAt(), now));
    try {
      const said = await sources.backlog(now);
      for (const [state, count] of Object.entries(said.grants)) grants.set({ state }, count);
      for (const [state, count] of Object.entries(said.leases)) leases.set({ state }, count);
      for (const [table, { count, oldestAt }] of Object.entries(said.due)) {
        due.set({ table }, count);
        overdue.set({ table }, since(oldestAt, now));
      }
      waiting.set(said.outbox.waiting);
      outboxAge.set(since(said.outbox.oldestAt, now));
      audit.set(said.auditRows);
      unreadable.set(said.unreadable);
      failed.set(0);
    } catch {
      failed.set(1);
    }
  };
  return { registry, look };
}
