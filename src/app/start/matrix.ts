import { MintwardenError } from '../../domain/errors.ts';
import type { Lockdown } from '../../lifecycle/lockdown.ts';
import type { AnchorParts } from '../../lifecycle/anchors/anchor-parts.ts';
import type { Services } from '../../lifecycle/services.ts';
import { createPendingRevocations } from '../../lifecycle/revocation/pending-revocations.ts';
import { startBotClient } from '../../matrix/bot-client.ts';
import type { ChatEvent } from '../../ports/chat.ts';
import { anchorMac, anchorParts, checkAgainstAnchors, type AnchorCheck } from '../anchor-check.ts';
import { botSessionOptions } from '../bot-session.ts';
import { superviseBot } from '../bot-supervisor.ts';
import { countRefusals, REFUSALS, type RefusalRecord } from '../to-device-refusals.ts';
import { random, wallClock, type StartContext } from './context.ts';
import type { Homeserver } from './homeserver.ts';
import type { Stores } from './stores.ts';

type EventHandler = { handle(event: ChatEvent): Promise<void> };

/** The bot's session, and with it everything that use cases are handed. */
export type MatrixConnection = {
  readonly services: Services;
  readonly anchors: AnchorParts;
  readonly anchorCheck: AnchorCheck;
  /** The state turned out to be an old copy: from now on no token is honoured. */
  readonly markOldCopy: () => void;
  /** When the bot's sync was last answered, epoch ms; 0: not yet. */
  readonly syncedAt: () => number;
  /** Gives events to the bot. Until then they wait, and are not confirmed to the homeserver. */
  readonly deliverTo: (bot: EventHandler) => void;
  /** Calls back each time the homeserver answers again after it did not. */
  readonly onReconnected: (callback: () => void) => void;
};

/**
 * Compares the state with the anchors in the control room, then logs the bot in and keeps it running.
 * @throws MintwardenError
 */
export async function startMatrix(
  context: StartContext,
  stores: Stores,
  { tokens, clock, synapse }: Homeserver,
): Promise<MatrixConnection> {
  const { config, log, signal, lifetime, policy, monitoring } = context;
  const { sealingKey, sealer, ledger, cache, disk, incidents } = stores;
  const position = cache.space<string>('sync');
  const anchors = anchorParts(
    config,
    { ledger, store: ledger.anchors, clock, random, log, mac: anchorMac(sealingKey.key) },
    tokens.bot,
    (query) => synapse.admin.roomMessages(config.control_room, query),
  );
  const anchorCheck = await checkAgainstAnchors(config, anchors, {
    leaseMs: policy.get().leaseMs,
    forgetPosition: async () => void (await position.set('since', '')),
    signal,
  });
  if (anchorCheck.sessionRenewed) await tokens.reload();
  let { isOldCopy } = anchorCheck;
  const lockdown = (): Lockdown | null => {
    if (isOldCopy) return { kind: 'old-copy' };
    const worry = clock.problem();
    return worry?.refusing === true ? { kind: 'clock', problem: worry } : null;
  };

  const onRefused = countRefusals({
    record: cache.space<RefusalRecord>(REFUSALS.space),
    count: monitoring.metrics.refused,
    log,
    now: wallClock.now,
  });
  const bot = Promise.withResolvers<EventHandler>();
  let reconnected = (): void => {};
  const supervised = await superviseBot({
    userId: config.bot.user_id,
    tokens,
    incidents,
    onFatal: () => disk.reportFailure('The disk of the state folder does not take what is written.'),
    log,
    open: (accessToken, hooks) =>
      startBotClient({
        ...botSessionOptions(config, {
          sealingKey: sealingKey.key,
          sealer,
          position,
          ledger,
          log,
          isAdmin: (userId) => policy.get().admins.includes(userId),
        }),
        ...hooks,
        onReconnected: () => reconnected(),
        onRefused,
        accessToken,
        onEvent: async (event) => (await bot.promise).handle(event),
      }),
  });
  lifetime.defer(() => supervised.stop());
  // Where the start fails, what waits for the bot must not keep `stop` waiting.
  bot.promise.catch(() => {});
  lifetime.defer(() => bot.reject(new MintwardenError('internal', 'Mintwarden is ending.')));

  const { public_url: gatewayUrl, trusted_proxies: trustedProxies } = config.gateway;
  return {
    services: {
      ledger,
      issuer: synapse.issuer,
      directory: synapse.directory,
      chat: supervised.chat,
      sealer,
      clock,
      random,
      log,
      policy: policy.get,
      ownAccounts: [config.bot.user_id, config.issuer.user_id],
      controlRoomId: config.control_room,
      gatewayUrl,
      // A request by https came through a proxy: the gateway itself speaks plain HTTP.
      seesAddresses: trustedProxies.length > 0 || !gatewayUrl.startsWith('https:'),
      incidents,
      lockdown,
      pendingRevocations: createPendingRevocations(),
      issuerStatus: () => synapse.admin.issuerStatus(),
    },
    anchors,
    anchorCheck,
    markOldCopy: () => (isOldCopy = true),
    syncedAt: () => supervised.syncedAt(),
    deliverTo: bot.resolve,
    onReconnected: (callback) => (reconnected = callback),
  };
}
