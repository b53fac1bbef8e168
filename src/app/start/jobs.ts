import type { IncidentKind } from '../../domain/incident.ts';
import { createAccessControl } from '../../lifecycle/access/access.ts';
import { startAnchors } from '../../lifecycle/anchors/poster.ts';
import { notifyIncidents } from '../../lifecycle/incidents/notify.ts';
import { watchIncidents } from '../../lifecycle/incidents/watch.ts';
import { startReaper } from '../../lifecycle/scheduler/reaper.ts';
import { resume } from '../../lifecycle/scheduler/resume.ts';
import { startSubjectsWatch } from '../../lifecycle/subjects/watch-subjects.ts';
import { watchClock } from '../../lifecycle/time/watch-clock.ts';
import type { StartContext } from './context.ts';
import type { Homeserver } from './homeserver.ts';
import type { MatrixConnection } from './matrix.ts';
import type { Stores } from './stores.ts';

/** What runs by itself, and the access control that depends on it. */
export type Jobs = {
  readonly access: ReturnType<typeof createAccessControl>;
  /** When the reaper last looked, epoch ms. */
  readonly reapedAt: () => number;
  /** What an earlier process left behind, now cleaned up. */
  readonly resumed: Awaited<ReturnType<typeof resume>>;
};

/** Cleans up after an earlier process, then starts everything that is done by the clock. */
export async function startJobs(
  { log, lifetime, policy, monitoring }: StartContext,
  { ledger, cache, disk }: Stores,
  { time, clock }: Homeserver,
  matrix: MatrixConnection,
): Promise<Jobs> {
  const { services, anchors, anchorCheck } = matrix;
  const { random, incidents } = services;
  const resumed = await resume(services);
  // An old copy posts no anchors: they would stand beside those of the true state.
  const onOther = (): void => {
    matrix.markOldCopy();
    log.error(
      'the state is an old copy: no token is honoured; start the service again, and it says what to do',
      {},
    );
  };
  const poster = anchorCheck.isOldCopy
    ? null
    : startAnchors(anchors, { compared: anchorCheck.compared, onOther, leaseMs: policy.get().leaseMs });
  lifetime.defer(async () => poster?.stop());
  const clockWatch = watchClock({ ledger, clock, random, log }, ledger.anchors, time);
  lifetime.defer(() => clockWatch.stop());
  const reaper = startReaper(services, monitoring.metrics);
  lifetime.defer(() => reaper.stop());
  const subjectsWatch = startSubjectsWatch(services);
  lifetime.defer(() => subjectsWatch.stop());
  const access = createAccessControl(services);
  lifetime.defer(() => access.close());
  const notified = cache.space<readonly IncidentKind[]>('troubles');
  const notifier = notifyIncidents(services, {
    load: async () => (await notified.get('told')) ?? [],
    save: async (kinds) => void (await notified.set('told', kinds)),
  });
  lifetime.defer(() => notifier.stop());
  const incidentWatch = watchIncidents(services, { disk: disk.check });
  lifetime.defer(() => incidentWatch.stop());

  const retryEverything = (): void => {
    access.retryNow();
    poster?.look();
    void reaper.retryNow();
    incidentWatch.wake();
  };
  matrix.onReconnected(retryEverything);
  lifetime.defer(
    incidents.onChange(({ kind }) => {
      if (kind === 'resolved') retryEverything();
    }),
  );
  return { access, reapedAt: reaper.lastRunAt, resumed };
}
