import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { toPolicy, type Config } from '../../../config/index.ts';
import { MintwardenError } from '../../../domain/errors.ts';
import type { Operator, RoomId } from '../../../domain/ids.ts';
import { createIncidents } from '../../../lifecycle/incidents/incidents.ts';
import { createPendingRevocations } from '../../../lifecycle/revocation/pending-revocations.ts';
import { startReaper } from '../../../lifecycle/scheduler/reaper.ts';
import type { Services } from '../../../lifecycle/services.ts';
import { startBotClient } from '../../../matrix/bot-client.ts';
import type { Synapse } from '../../../issuers/synapse/synapse.ts';
import type { Log } from '../../../ports/log.ts';
import type { Sealer } from '../../../ports/sealer.ts';
import { openCache } from '../../../store/keyv/index.ts';
import type { SealingKey } from '../../../store/seal/sealer.ts';
import type { SqliteLedger } from '../../../store/sqlite/open.ts';
import { anchorMac, anchorParts, checkAgainstAnchors } from '../../anchor-check.ts';
import { botSessionOptions } from '../../bot-session.ts';
import { cacheFile } from '../../paths.ts';
import { createAccountTokens } from '../../account-tokens.ts';

const clock = { now: () => Date.now() };
const random = { bytes: (count: number) => randomBytes(count) };
const TIMEOUT_MS = 60_000;
const POLL_INTERVAL_MS = 100;
/** What failed is tried again within this. */
const DUE_SOON_MS = 600_000;

/** What telling everybody takes. */
export type NotifyOptions = {
  readonly config: Config;
  readonly ledger: SqliteLedger;
  readonly synapse: Synapse;
  readonly sealingKey: SealingKey;
  readonly sealer: Sealer;
  readonly by: Operator;
  /** By which the last message is known again: it comes once, however often this runs. */
  readonly marker: string;
  readonly log: Log;
};

/**
 * Starts the bot once more, without ears: sends what waits in the outbox (the ends of grants to the people
 * concerned, messages with tokens redacted), then the last message to the control room.
 * @throws MintwardenError where the bot cannot be started, or not everything could be sent within a minute
 */
export async function notifyEveryone({
  config,
  ledger,
  synapse,
  sealingKey,
  sealer,
  by,
  marker,
  log,
}: NotifyOptions): Promise<void> {
  await using cleanup = new AsyncDisposableStack();
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const cache = await openCache({ file: cacheFile(config), log, clock });
  cleanup.defer(() => cache.close());
  const position = cache.space<string>('sync');
  const tokens = createAccountTokens(config, process.env, log);
  const mac = anchorMac(sealingKey.key);
  const anchors = anchorParts(config, { ledger, store: ledger.anchors, clock, random, log, mac }, () =>
    tokens.bot(),
  );
  // An old copy of the encryption store must not be used on, here as at any start.
  const { sessionRenewed } = await checkAgainstAnchors(config, anchors, {
    leaseMs: toPolicy(config).leaseMs,
    forgetPosition: async () => void (await position.set('since', '')),
    signal,
  });
  if (sessionRenewed) await tokens.reload();
  const matrix = await startBotClient({
    ...botSessionOptions(config, {
      sealingKey: sealingKey.key,
      sealer,
      position,
      ledger,
      log,
      isAdmin: (userId) => config.admins.includes(userId),
    }),
    accessToken: tokens.bot(),
    // Nobody is obeyed any more.
    onEvent: async () => {},
  });
  cleanup.defer(() => matrix.stop());
  const services: Services = {
    ledger,
    issuer: synapse.issuer,
    directory: synapse.directory,
    chat: matrix.chat,
    sealer,
    clock,
    random,
    log,
    policy: () => toPolicy(config),
    ownAccounts: [config.bot.user_id, config.issuer.user_id],
    controlRoomId: config.control_room,
    gatewayUrl: config.gateway.public_url,
    seesAddresses: false,
    // No gateway runs any more, and nothing is minted: there is nothing left to protect.
    incidents: createIncidents({ clock, log }),
    lockdown: () => null,
    pendingRevocations: createPendingRevocations(),
    issuerStatus: () => synapse.admin.issuerStatus(),
  };
  const reaper = startReaper(services);
  cleanup.defer(() => reaper.stop());
  await waitUntilSent(ledger);

  const roomId: RoomId = config.control_room;
  if ((await matrix.chat.findByMarker(roomId, marker, 0)) !== null) return;
  const body = `Mintwarden is being removed by ${by}. Every grant has ended, and the homeserver's tokens behind them are logged out. The bot leaves now; nobody answers commands here any more.`;
  const html = body.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  await matrix.chat.send(
    roomId,
    { body, html, mentions: [], replyTo: null, msgtype: 'm.notice' },
    { transactionId: marker, marker, expect: 'encrypted', audience: 'every-device' },
  );
}

/** Until nothing is left that is due soon: messages to send, and messages to redact. */
async function waitUntilSent(ledger: SqliteLedger): Promise<void> {
  const begun = performance.now();
  for (;;) {
    const { messagesWaiting } = await ledger.counts();
    const { messages } = await ledger.due(clock.now() + DUE_SOON_MS, 1);
    if (messagesWaiting === 0 && messages.length === 0) return;
    if (performance.now() - begun > TIMEOUT_MS)
      throw new MintwardenError(
        'homeserver-unreachable',
        `${String(messagesWaiting)} messages to people could not be sent.`,
        null,
      );
    await sleep(POLL_INTERVAL_MS);
  }
}
