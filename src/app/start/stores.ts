import { createIncidents, type Incidents } from '../../lifecycle/incidents/incidents.ts';
import type { Sealer } from '../../ports/sealer.ts';
import { openCache } from '../../store/keyv/index.ts';
import { createSealer, loadOrCreateKey } from '../../store/seal/index.ts';
import type { SealingKey } from '../../store/seal/sealer.ts';
import { openSqliteLedger } from '../../store/sqlite/index.ts';
import type { SqliteLedger } from '../../store/sqlite/open.ts';
import { createDiskMonitor, type DiskMonitor } from '../disk/disk-monitor.ts';
import { withWriteRetry } from '../disk/write-retry.ts';
import { timedLedger } from '../monitoring/timed-ledger.ts';
import { cacheFile, ledgerFile } from '../paths.ts';
import { random, wallClock, type StartContext } from './context.ts';

/** What is kept on this machine's disk. */
export type Stores = {
  readonly sealingKey: SealingKey;
  readonly sealer: Sealer;
  readonly ledger: SqliteLedger;
  readonly cache: Awaited<ReturnType<typeof openCache>>;
  readonly disk: DiskMonitor;
  readonly incidents: Incidents;
};

/** Opens the ledger, the sealer and the cache. @throws MintwardenError `state` */
export async function startStores({ config, log, lifetime, monitoring }: StartContext): Promise<Stores> {
  const sealingKey = await loadOrCreateKey(config.sealing_key_file);
  const incidents = createIncidents({ clock: wallClock, log });
  const sqlite = await openSqliteLedger({ file: ledgerFile(config), log });
  lifetime.defer(() => sqlite.close());
  const disk = createDiskMonitor(config.state_dir, incidents);
  const cache = await openCache({ file: cacheFile(config), log, clock: wallClock });
  lifetime.defer(() => cache.close());
  return {
    sealingKey,
    sealer: createSealer({ keys: [sealingKey], randomBytes: random.bytes }),
    ledger: timedLedger(
      withWriteRetry(sqlite, ({ message }) => disk.reportFailure(message)),
      monitoring.metrics.committed,
    ),
    cache,
    disk,
    incidents,
  };
}
