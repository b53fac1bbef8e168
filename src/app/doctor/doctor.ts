import type { Config } from '../../config/index.ts';
import { MintwardenError } from '../../domain/errors.ts';
import { createSynapse } from '../../issuers/synapse/synapse.ts';
import type { Log } from '../../ports/log.ts';
import { checkAdmins, checkBot, checkIssuer } from './accounts.ts';
import { checkControlRoom } from './control-room.ts';
import { checkDevice, checkIdentities } from './device.ts';
import { checkFiles } from './files.ts';
import { fail, type Finding } from './finding.ts';
import { checkGateway } from './gateway.ts';
import { checkHomeserver } from './homeserver.ts';
import { checkLedger, isRunning } from './ledger.ts';

const TIMEOUT_MS = 15_000;

/**
 * Looks at everything that can be wrong, beside a running service or without one. Changes nothing. What
 * cannot be looked at is a finding too: it never throws for the state of the world.
 */
export async function doctor(config: Config, log: Log): Promise<readonly Finding[]> {
  await using synapse = createSynapse({
    homeserverUrl: config.homeserver.url,
    serverName: config.homeserver.server_name,
    issuerToken: () => config.issuer.access_token,
    botUserId: config.bot.user_id,
    timeoutMs: TIMEOUT_MS,
    log,
  });
  const homeserver = await look('homeserver', () => checkHomeserver(config, synapse, Date.now));
  const isThere = homeserver.every(({ id, severity }) => id !== 'homeserver' || severity !== 'fail');
  const atHomeserver = isThere
    ? [
        ...(await look('issuer account', () => checkIssuer(config, synapse.admin))),
        ...(await look('bot account', () => checkBot(config, synapse.admin))),
        ...(await look('admins', () => checkAdmins(config, synapse.admin))),
        ...(await look('admin identities', () => checkIdentities(config))),
        ...(await look('control room', () => checkControlRoom(config))),
        ...(await look('bot device', () => checkDevice(config))),
      ]
    : [];
  return [
    ...(await look('files', () => checkFiles(config))),
    ...homeserver,
    ...atHomeserver,
    ...(await look('ledger', () => checkLedger(config, log))),
    ...(await look('gateway', async () => checkGateway(config, isRunning(config, log)))),
  ];
}

async function look(id: string, check: () => Promise<readonly Finding[]>): Promise<readonly Finding[]> {
  try {
    return await check();
  } catch (error) {
    if (!(error instanceof MintwardenError)) throw error;
    return [fail(id, error.message, 'It could not be looked at.', error.next ?? 'Look at what the sentence names.')];
  }
}
