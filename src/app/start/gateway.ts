import { lineToText } from '../../words/render.ts';
import { scopeSentence } from '../../words/scope-sentence.ts';
import { startConfiguredGateway, type RunningGateway } from '../gateway.ts';
import { gatewayLimits } from '../gateway-limits.ts';
import { instanceKeyOf } from '../instance-key.ts';
import type { StartContext } from './context.ts';
import type { Jobs } from './jobs.ts';
import type { MatrixConnection } from './matrix.ts';
import type { Stores } from './stores.ts';

/** Starts to serve holders. @throws MintwardenError `configuration` where it cannot listen */
export async function startGateway(
  { config, log, lifetime }: StartContext,
  { sealingKey, ledger }: Stores,
  { services }: MatrixConnection,
  { access }: Jobs,
): Promise<RunningGateway> {
  const gateway = await startConfiguredGateway(config, ledger, {
    listen: config.gateway.listen,
    trustedProxies: config.gateway.trusted_proxies,
    homeserverUrl: config.homeserver.url,
    transport: config.gateway.transport,
    filter: config.gateway.filter,
    limits: gatewayLimits(config.gateway),
    publicUrl: config.gateway.public_url,
    accessControl: access,
    sentence: (grant, now) => lineToText(scopeSentence(grant, now)),
    transactions: ledger.transactions,
    instanceKey: instanceKeyOf(sealingKey),
    onFiltersDiffer: () =>
      services.incidents.open(
        'filters-differ',
        'A large answer was filtered in two ways with two results. From now on all are filtered over parsed JSON, until the next start.',
        'Set `gateway.filter: tree` and report it to the project, with the version of the homeserver.',
      ),
    clock: services.clock,
    log,
  });
  lifetime.defer(() => gateway.close());
  return gateway;
}
