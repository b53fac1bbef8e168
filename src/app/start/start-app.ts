import { toPolicy, type Config } from '../../config/index.ts';
import { inviteFirstAdmin } from '../../lifecycle/notifications/invite-first-admin.ts';
import { proxySentence } from '../../net/proxy.ts';
import type { Log } from '../../ports/log.ts';
import { startExec } from '../exec/index.ts';
import { startMonitoring } from '../monitoring/monitoring.ts';
import { controlSocketFile } from '../paths.ts';
import { createPolicyReloader, type ReloadPolicy } from '../reload-policy.ts';
import { ownVersion } from '../version.ts';
import { startBot } from './bot.ts';
import type { StartContext } from './context.ts';
import { startGateway } from './gateway.ts';
import { connectHomeserver } from './homeserver.ts';
import { startJobs } from './jobs.ts';
import { startMatrix } from './matrix.ts';
import { startStores } from './stores.ts';

/** A running Mintwarden. */
export type App = { stop(): Promise<void>; readonly gatewayPort: number; readonly reload: ReloadPolicy };

/**
 * Starts the bot and the gateway in this process. The gateway listens last: when it answers, everything runs.
 * They end in reverse order.
 * @throws MintwardenError
 */
export async function startApp(config: Config, log: Log, signal: AbortSignal): Promise<App> {
  await using lifetime = new AsyncDisposableStack();
  const startedAt = performance.now();
  const monitoring = await startMonitoring(config, await ownVersion());
  lifetime.defer(() => monitoring.close());
  let policy = toPolicy(config);
  const context: StartContext = {
    config,
    log,
    signal,
    lifetime,
    monitoring,
    policy: { get: () => policy, set: (changed) => (policy = changed) },
  };

  const { kind, sentence } = proxySentence(process.env);
  log[kind === 'ignored' ? 'warn' : 'info']('connections to the homeserver', { how: sentence });
  const stores = await startStores(context);
  const homeserver = await connectHomeserver(context, stores);
  const matrix = await startMatrix(context, stores, homeserver);
  const jobs = await startJobs(context, stores, homeserver, matrix);
  const requests = startBot(matrix, jobs);
  const gateway = await startGateway(context, stores, matrix, jobs);

  const { services, syncedAt } = matrix;
  const reload = await createPolicyReloader(config, process.env, services, context.policy.set);
  const exec = await startExec(controlSocketFile(config), { services, requests, reload, log });
  lifetime.defer(() => exec.stop());
  monitoring.started({ services, gateway, syncedAt, reapedAt: jobs.reapedAt });
  lifetime.defer(() => monitoring.ending());
  const greeting = inviteFirstAdmin(services);
  lifetime.defer(() => greeting);
  log.info('ready', {
    gateway: config.gateway.public_url,
    port: gateway.port,
    ms: Math.round(performance.now() - startedAt),
    mintsGivenUp: jobs.resumed.mints,
    leasesOrphaned: jobs.resumed.leases,
  });

  const running = lifetime.move();
  return { gatewayPort: gateway.port, reload, stop: () => running.disposeAsync() };
}
