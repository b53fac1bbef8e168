import { type Gateway, type GatewayOptions, startGateway } from '../../../src/gateway/server.ts';
import { silentLog } from '../../support/silent-log.ts';
import { memoryTransactions } from './memory-transactions.ts';

/** Starts a gateway on a free port of 127.0.0.1, everything that `options` does not say being filled in. */
export function startTestGateway(
  options: Pick<GatewayOptions, 'homeserverUrl' | 'accessControl'> & Partial<GatewayOptions>,
): Promise<Gateway> {
  return startGateway({
    listen: { host: '127.0.0.1', port: 0 },
    publicUrl: 'https://gateway.test',
    sentence: () => 'a sentence',
    onFiltersDiffer: () => undefined,
    transactions: memoryTransactions(),
    clock: { now: () => Date.now() },
    log: silentLog,
    ...options,
  });
}
