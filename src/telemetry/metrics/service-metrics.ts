import type { Backlog } from '../../ports/ledger.ts';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { processMetrics } from './process-metrics.ts';

/** What the numbers are asked of, when somebody looks. */
export type ServiceSources = {
  readonly now: () => number;
  readonly backlog: (now: number) => Promise<Backlog>;
  /** Everything that can be wrong, and what is. */
  readonly incidents: { readonly all: readonly string[]; readonly now: () => readonly string[] };
  /** Whether no token is honoured, as after an old copy of the state was brought back. */
  readonly held: () => boolean;
  /** Epoch ms; 0: never. */
  readonly syncedAt: () => number;
  readonly reapedAt: () => number;
};

/** The numbers of the bot's process. */
export type ServiceMetrics = {
  readonly registry: Registry;
  /** A change was written to the ledger, or was not. */
  readonly committed: (ms: number, result: 'committed' | 'conflict' | 'seen' | 'failed') => void;
  /** The reaper has looked for what is due. */
  readonly queried: (ms: number) => void;
  /** The reaper has done something that was due, or could not. */
  readonly processed: (kind: string, ms: number, failed: boolean) => void;
  /** To-device events were kept from the bot's encryption engine. */
  readonly refused: (events: { readonly strangers: number; readonly tooMany: number }) => void;
  /**
   * Reads everything again. To be called before the registry is shown. Never throws. Null: there is nothing to
   * ask yet, or no more.
   */
  readonly collect: (sources: ServiceSources | null, ready: boolean) => Promise<void>;
};

const COMMIT_S = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2];
const TASK_S = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 120];

/** Counters of what the bot's process does, and gauges that are read when somebody looks. */
export function serviceMetrics(version: string): ServiceMetrics {
  const registry = new Registry();
  const registers = [registry];
  processMetrics(registry, 'bot');
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[] = []): Gauge<L> =>
    new Gauge({ name: `mintwarden_${name}`, help, labelNames: [...labelNames], registers });
  const histogram = <L extends string>(
    name: string,
    help: string,
    buckets: number[],
    labelNames: readonly L[] = [],
  ): Histogram<L> =>
    new Histogram({ name: `mintwarden_${name}`, help, buckets, labelNames: [...labelNames], registers });

  gauge('build_info', 'The version that runs; always 1.', ['version']).set({ version }, 1);
  const ready = gauge('ready', 'Whether /ready says so: 1 or 0.');
  const grants = gauge('grants', 'Grants by standing.', ['standing']);
  const leases = gauge(
    'upstream_tokens',
    'Upstream tokens by state: `killing` and `unkillable` may be alive; `lapsed` ones, which could not be killed, have ended by themselves.',
    ['state'],
  );
  const due = gauge('due_rows', 'Rows of the ledger whose time has come.', ['table']);
  const overdue = gauge('due_oldest_seconds', 'For how long the longest of them has been due.', ['table']);
  const waiting = gauge('outbox_waiting', 'Messages that the homeserver has not taken yet.');
  const outboxAge = gauge('outbox_oldest_seconds', 'The age of the oldest of them.');
  const audit = gauge('audit_rows', 'Rows of the audit.');
  const unreadable = gauge('ledger_unreadable_rows', 'Rows that this version does not understand.');
  const incidents = gauge('trouble', 'What is wrong right now: 1 where it is.', ['kind']);
  const held = gauge(
    'held',
    'Whether no token is honoured until an operator or the clock has settled something: 1 or 0.',
  );
  const syncLag = gauge(
    'sync_lag_seconds',
    'How long ago the homeserver last answered the bot’s sync; up to 30 without any news.',
  );
  const syncAt = gauge(
    'sync_answer_timestamp_seconds',
    'When the homeserver last answered the bot’s sync; 0: not yet.',
  );
  const reaperLag = gauge(
    'reaper_lag_seconds',
    'How long ago the reaper last looked at the ledger; up to 30 without anything due.',
  );
  const unasked = gauge(
    'ledger_unreachable',
    'Whether the ledger could not be asked for these numbers: 1 or 0.',
  );
  const commits = histogram('ledger_commit_seconds', 'Time to write a change durably.', COMMIT_S, ['result']);
  const looks = histogram('reaper_look_seconds', 'Time the reaper took to find what is due.', COMMIT_S);
  const tasks = histogram('reaper_task_seconds', 'Time the reaper took for a thing that was due.', TASK_S, [
    'kind',
  ]);
  const failures = new Counter({
    name: 'mintwarden_reaper_task_failures_total',
    help: 'Things that were due and could not be done; they are tried again.',
    labelNames: ['kind'] as const,
    registers,
  });
  const refusals = new Counter({
    name: 'mintwarden_to_device_refused_total',
    help: 'To-device events that were refused: of `strangers`, and `too_many` of people the bot knows.',
    labelNames: ['reason'] as const,
    registers,
  });
  const begunAt = Date.now();
  // What never was counts from the start: no alert is to wait for a first time that does not come.
  const since = (at: number, now: number): number => Math.max(0, now - (at === 0 ? begunAt : at)) / 1_000;

  const ask = async ({ backlog }: ServiceSources, now: number): Promise<void> => {
    const said = await backlog(now);
    const { live, ...others } = said.grants;
    const standings = { good: live - said.suspended, suspended: said.suspended, ...others };
    for (const [standing, count] of Object.entries(standings)) grants.set({ standing }, count);
    const states = { ...said.leases, unkillable: said.leases.unkillable - said.lapsed, lapsed: said.lapsed };
    for (const [state, count] of Object.entries(states)) leases.set({ state }, count);
    for (const [table, { count, oldestAt }] of Object.entries(said.due)) {
      due.set({ table }, count);
      overdue.set({ table }, oldestAt === null ? 0 : since(oldestAt, now));
    }
    waiting.set(said.outbox.waiting);
    outboxAge.set(said.outbox.oldestAt === null ? 0 : since(said.outbox.oldestAt, now));
    audit.set(said.auditRows);
    unreadable.set(said.unreadable);
  };
  return {
    registry,
    committed: (ms, result) => commits.observe({ result }, ms / 1_000),
    queried: (ms) => looks.observe(ms / 1_000),
    processed: (kind, ms, isFailed) => {
      tasks.observe({ kind }, ms / 1_000);
      if (isFailed) failures.inc({ kind });
    },
    refused({ strangers, tooMany }) {
      refusals.inc({ reason: 'strangers' }, strangers);
      refusals.inc({ reason: 'too_many' }, tooMany);
    },
    async collect(sources, isReady) {
      ready.set(isReady ? 1 : 0);
      if (sources === null) return;
      const now = sources.now();
      const wrong = new Set(sources.incidents.now());
      for (const kind of sources.incidents.all) incidents.set({ kind }, wrong.has(kind) ? 1 : 0);
      held.set(sources.held() ? 1 : 0);
      syncLag.set(since(sources.syncedAt(), now));
      syncAt.set(sources.syncedAt() / 1_000);
      reaperLag.set(since(sources.reapedAt(), now));
      const asked = await ask(sources, now).then(
        () => true,
        () => false,
      );
      unasked.set(asked ? 0 : 1);
    },
  };
}
