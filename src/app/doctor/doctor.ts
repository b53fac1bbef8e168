import type { Config } from '../../config/index.ts';
import { MintwardenError } from '../../domain/errors.ts';
import { createSynapse } from '../../issuers/synapse/synapse.ts';
import type { Log } from '../../ports/log.ts';
import { isRunning } from '../is-running.ts';
import { checkAdmins, checkBot, checkIssuer } from './accounts.ts';
import type { CheckId } from './checks.ts';
import { checkControlRoom } from './control-room.ts';
import { checkDevice, checkIdentities } from './device.ts';
import { checkDisk } from './disk.ts';
import { checkFiles } from './files.ts';
import { fail, type Finding, ok } from './finding.ts';
import { checkGateway } from './gateway.ts';
import { checkHomeserver } from './homeserver.ts';
import { checkInvites } from './invites.ts';
import { checkLedger, inspectLedgerFile, pinnedKeyLookup } from './ledger.ts';
import { checkLimits } from './limits.ts';
import { checkSealing } from './sealing.ts';
import { checkSocket } from './socket.ts';
import { checkToDevice } from './to-device.ts';
import { checkOwnVersions } from './versions.ts';

const TIMEOUT_MS = 15_000;

/**
 * Looks at everything that can be wrong, beside a running service or without one. Changes nothing. What
 * cannot be looked at is a finding too: it never throws for the state of the world. Checks that rest on
 * another one that failed are left out.
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
  const { admin } = synapse;
  const inspected = inspectLedgerFile(config);
  const findings: Finding[] = [ok('configuration', `${config.file} holds.`), ...checkOwnVersions()];
  /** @returns whether these checks all hold */
  const look = async (
    id: CheckId,
    check: () => Promise<readonly Finding[]>,
  ): Promise<(...ids: readonly CheckId[]) => boolean> => {
    const found = await runCheck(id, check);
    findings.push(...found);
    return (...ids) =>
      ids.every((wanted) => found.some((finding) => finding.id === wanted && finding.severity === 'ok'));
  };

  await look('secret-files', () => checkFiles(config));
  await look('disk-space', () => checkDisk(config));
  await look('sealing-key', () => checkSealing(config, inspected));
  const atHomeserver = await look('homeserver', () => checkHomeserver(config, admin, Date.now));
  if (atHomeserver('homeserver')) {
    let isIssuerGood = false;
    if (atHomeserver('admin-api')) {
      const ofIssuer = await look('issuer-token', () => checkIssuer(config, admin));
      isIssuerGood = ofIssuer('issuer-token', 'issuer-rights');
    }
    const ofBot = await look('bot-token', () => checkBot(config, admin, isIssuerGood));
    if (isIssuerGood) await look('admins', () => checkAdmins(config, admin));
    if (ofBot('bot-token')) {
      await look('bot-invites', () => checkInvites(config));
      await look('admin-identities', () => checkIdentities(config, pinnedKeyLookup(config, log, inspected)));
      await look('gateway-limits', () => checkLimits(config, admin));
      await look('control-room', () => checkControlRoom(config));
      await look('bot-device', () => checkDevice(config));
    }
  }
  await look('to-device', () => checkToDevice(config, Date.now()));
  await look('ledger', () => checkLedger(config, log, inspected));
  await look('service', async () => {
    const running = isRunning(config, log);
    return [...(await checkGateway(config, running)), ...(running ? await checkSocket(config) : [])];
  });
  return findings;
}

/** A configuration that could not be read, as findings. */
export function unreadableConfig(error: MintwardenError): readonly Finding[] {
  // Each sentence of the configuration's own says what to do; where it names a command, it is the fix.
  const command = /Run: (chmod 600 '[^'\n]+')/.exec(error.message)?.[1];
  return [
    fail('configuration', error.message, {
      ...(error.hint === null ? {} : { fix: error.hint }),
      ...(command === undefined ? {} : { command }),
    }),
  ];
}

async function runCheck(id: CheckId, check: () => Promise<readonly Finding[]>): Promise<readonly Finding[]> {
  try {
    return await check();
  } catch (error) {
    if (!(error instanceof MintwardenError)) throw error;
    return [fail(id, error.message, { fix: error.hint ?? 'Look at what the sentence names.' })];
  }
}
