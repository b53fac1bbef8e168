import { randomBytes } from 'node:crypto';
import { createBot } from '../../bot/bot.ts';
import type { Config } from '../../config/index.ts';
import { toPolicy } from '../../config/index.ts';
import { MintwardenError } from '../../domain/errors.ts';
import { createSynapse } from '../../issuers/synapse/synapse.ts';
import { createAccessControl } from '../../lifecycle/access/access.ts';
import { withLockdown } from '../../lifecycle/access/with-lockdown.ts';
import type { Lockdown } from '../../lifecycle/anchors/lockdown.ts';
import { startAnchors } from '../../lifecycle/anchors/poster.ts';
import { createPendingRevocations } from '../../lifecycle/revocation/pending-revocations.ts';
import { notifyIncidents } from '../../lifecycle/incidents/notify.ts';
import { createIncidents } from '../../lifecycle/incidents/incidents.ts';
import { watchIncidents } from '../../lifecycle/incidents/watch.ts';
import type { IncidentKind } from '../../domain/incident.ts';
import { deliverWaitingTo } from '../../lifecycle/notifications/deliver.ts';
import { inviteFirstAdmin } from '../../lifecycle/notifications/invite-first-admin.ts';
import { startReaper } from '../../lifecycle/scheduler/reaper.ts';
import { resume } from '../../lifecycle/scheduler/resume.ts';
import { startSubjectsWatch } from '../../lifecycle/scheduler/subjects-watch.ts';
import { createSteadyClock } from '../../lifecycle/time/steady-clock.ts';
import { watchClock } from '../../lifecycle/time/watch-clock.ts';
import type { Services } from '../../lifecycle/services.ts';
import { startBotClient } from '../../matrix/bot-client.ts';
import type { ChatEvent } from '../../ports/chat.ts';
import type { Log } from '../../ports/log.ts';
import { openCache } from '../../store/keyv/index.ts';
import { createSealer, loadOrCreateKey } from '../../store/seal/index.ts';
import { openSqliteLedger } from '../../store/sqlite/index.ts';
import { lineToText } from '../../words/render.ts';
import { scopeSentence } from '../../words/scope-sentence.ts';
import { createDiskMonitor } from '../disk/disk-monitor.ts';
import { withWriteRetry } from '../disk/write-retry.ts';
import { anchorMac, anchorParts, checkAgainstAnchors } from '../anchor-check.ts';
import { startExec } from '../exec/index.ts';
import { startConfiguredGateway } from '../gateway.ts';
import { homeserverTime } from '../homeserver-time.ts';
import { instanceKeyOf } from '../instance-key.ts';
import { superviseBot } from '../bot-supervisor.ts';
import { startMonitoring } from '../monitoring/monitoring.ts';
import { timedLedger } from '../monitoring/timed-ledger.ts';
import { botSessionOptions } from '../bot-session.ts';
import { cacheFile, controlSocketFile, ledgerFile } from '../paths.ts';
import { type ReloadPolicy, createPolicyReloader } from '../reload-policy.ts';
import { createRequestExplainer } from '../request-explainer.ts';
import { createAccountTokens } from '../account-tokens.ts';
import { ownVersion } from '../version.ts';
import { waitForHomeserver } from '../wait-for-homeserver.ts';

const HOMESERVER_TIMEOUT_MS = 30_000;
const wallClock = { now: () => Date.now() };
const random = { bytes: (count: number) => randomBytes(count) };

/** A running Mintwarden. */
export type App = { stop(): Promise<void>; readonly gatewayPort: number; readonly reload: ReloadPolicy };

/**
 * Starts the bot and the gateway in this process. The gateway listens last: when it answers, everything runs.
 * The order of ending is the reverse.
 * @throws MintwardenError
 */
export async function startApp(config: Config, log: Log, signal: AbortSignal): Promise<App> {
  await using cleanup = new AsyncDisposableStack();
  const begun = performance.now();
  let policy = toPolicy(config);
  const monitoring = await startMonitoring(config, await ownVersion());
  cleanup.defer(() => monitoring.close());

  const sealingKey = await loadOrCreateKey(config.sealing_key_file);
  const sealer = createSealer({ keys: [sealingKey], randomBytes: random.bytes });
  const incidents = createIncidents({ clock: wallClock, log });
  const tokens = createAccountTokens(config, process.env, log);
  const sqlite = await openSqliteLedger({ file: ledgerFile(config), log });
  cleanup.defer(() => sqlite.close());
  const disk = createDiskMonitor(config.state_dir, incidents);
  const ledger = timedLedger(
    withWriteRetry(sqlite, ({ message }) => disk.reportFailure(message)),
    monitoring.metrics.committed,
  );
  const cache = await openCache({ file: cacheFile(config), log, clock: wallClock });
  cleanup.defer(() => cache.close());

  await waitForHomeserver(config.homeserver.url, log, signal);
  const clock = createSteadyClock({
    wall: wallClock.now,
    monotonic: () => performance.now(),
    latest: await sqlite.anchors.latestSeen(),
  });
  const homeserverAt = (): Promise<number | null> => homeserverTime(config.homeserver.url);
  const first = await homeserverAt();
  if (first !== null) clock.observed(first);
  const synapse = cleanup.use(
    createSynapse({
      homeserverUrl: config.homeserver.url,
      serverName: config.homeserver.server_name,
      issuerToken: tokens.issuer,
      onRefusedToken: async () => {
        const before = tokens.issuer();
        await tokens.reload();
        return tokens.issuer() !== before;
      },
      botUserId: config.bot.user_id,
      timeoutMs: HOMESERVER_TIMEOUT_MS,
      clock,
      log,
    }),
  );

  const position = cache.space<string>('sync');
  const mac = anchorMac(sealingKey.key);
  const anchors = anchorParts(
    config,
    { ledger, store: sqlite.anchors, clock, random, log, mac },
    tokens.bot,
    (query) => synapse.admin.roomMessages(config.control_room, query),
  );
  const anchored = await checkAgainstAnchors(config, anchors, {
    leaseMs: policy.leaseMs,
    forgetPosition: async () => void (await position.set('since', '')),
    signal,
  });
  if (anchored.sessionRenewed) await tokens.reload();
  let isOld = anchored.isOldCopy;
  const held = (): Lockdown | null => {
    if (isOld) return { kind: 'old-copy' };
    const worry = clock.worry();
    return worry?.refusing === true ? { kind: 'clock', worry } : null;
  };

  // Events may come before there is a bot to take them: they wait here, and are not confirmed until it has.
  const bot = Promise.withResolvers<{ handle(event: ChatEvent): Promise<void> }>();
  const back = { now: () => {} };
  const matrix = await superviseBot({
    userId: config.bot.user_id,
    tokens,
    incidents,
    onFatal: () => disk.reportFailure('The disk of the state folder does not take what is written.'),
    log,
    open: (accessToken, hooks) =>
      startBotClient({
        ...botSessionOptions(config, { sealingKey: sealingKey.key, sealer, position, ledger, log }),
        ...hooks,
        onReconnected: () => back.now(),
        accessToken,
        onEvent: async (event) => (await bot.promise).handle(event),
      }),
  });
  cleanup.defer(() => matrix.stop());
  // Where the start fails, what waits for the bot must not keep `stop` waiting.
  bot.promise.catch(() => {});
  cleanup.defer(() => bot.reject(new MintwardenError('internal', 'Mintwarden is ending.')));

  const services: Services = {
    ledger,
    issuer: synapse.issuer,
    directory: synapse.directory,
    chat: matrix.chat,
    sealer,
    clock,
    random,
    log,
    policy: () => policy,
    ownAccounts: [config.bot.user_id, config.issuer.user_id],
    controlRoomId: config.control_room,
    gatewayUrl: config.gateway.public_url,
    // Whoever comes by https has come through a proxy: the gateway itself speaks plain HTTP.
    seesAddresses:
      config.gateway.trusted_proxies.length > 0 || !config.gateway.public_url.startsWith('https:'),
    incidents,
    lockdown: held,
    pendingRevocations: createPendingRevocations(),
    issuerStatus: () => synapse.admin.issuerStatus(),
  };
  const tell = (event: string, error: unknown) =>
    log.warn(event, { problem: error instanceof MintwardenError ? error.message : 'unexpected' });
  const given = await resume(services);
  // What an old copy says of itself must not stand beside what the true one said.
  const onOther = (): void => {
    isOld = true;
    log.error(
      'the state is an old copy: no token is honoured; start the service anew, and it says what to do',
      {},
    );
  };
  const poster = anchored.isOldCopy
    ? null
    : startAnchors(anchors, { compared: anchored.compared, onOther, leaseMs: policy.leaseMs });
  cleanup.defer(async () => poster?.stop());
  const clockWatch = watchClock({ ledger, clock, random, log }, sqlite.anchors, homeserverAt);
  cleanup.defer(() => clockWatch.stop());
  const reaper = startReaper(services, monitoring.metrics);
  cleanup.defer(() => reaper.stop());
  const watch = startSubjectsWatch(services);
  cleanup.defer(() => watch.stop());
  const access = withLockdown(createAccessControl(services), held);
  cleanup.defer(() => access.close());
  const toldIncidents = cache.space<readonly IncidentKind[]>('troubles');
  const telling = notifyIncidents(services, incidents, {
    load: async () => (await toldIncidents.get('told')) ?? [],
    save: async (told) => void (await toldIncidents.set('told', told)),
  });
  cleanup.defer(() => telling.stop());
  const incidentWatch = watchIncidents(services, incidents, {
    issuer: () => synapse.admin.issuerStatus(),
    disk: disk.check,
  });
  cleanup.defer(() => incidentWatch.stop());
  back.now = () => {
    access.retryNow();
    poster?.look();
    void reaper.hurry();
    incidentWatch.wake();
  };
  const stopHurrying = incidents.onChange(({ kind }) => {
    if (kind === 'resolved') back.now();
  });
  cleanup.defer(stopHurrying);
  const requests = createRequestExplainer({
    ledger,
    clock,
    controlRoomId: config.control_room,
    remembered: access.remembered,
  });
  bot.resolve(
    createBot({
      services,
      controlRoomId: config.control_room,
      requests,
      onMembership: ({ userId, membership }) => {
        if (membership === 'join')
          deliverWaitingTo(services, userId).catch((error: unknown) =>
            tell('waiting tokens not looked at', error),
          );
      },
    }),
  );

  const gateway = await startConfiguredGateway(config, ledger, {
    listen: config.gateway.listen,
    trustedProxies: config.gateway.trusted_proxies,
    homeserverUrl: config.homeserver.url,
    publicUrl: config.gateway.public_url,
    access,
    sentence: (grant, now) => lineToText(scopeSentence(grant, now)),
    transactions: ledger.transactions,
    instanceKey: instanceKeyOf(sealingKey),
    clock,
    log,
  });
  cleanup.defer(() => gateway.close());
  const reload = await createPolicyReloader(config, process.env, services, (changed) => (policy = changed));
  const exec = await startExec(controlSocketFile(config), { services, requests, reload, log });
  cleanup.defer(() => exec.stop());
  monitoring.started({ services, gateway, syncedAt: () => matrix.syncedAt(), reapedAt: reaper.lastRunAt });
  cleanup.defer(() => monitoring.ending());
  const greeting = inviteFirstAdmin(services);
  cleanup.defer(() => greeting);
  log.info('ready', {
    gateway: config.gateway.public_url,
    port: gateway.port,
    ms: Math.round(performance.now() - begun),
    mintsGivenUp: given.mints,
    leasesOrphaned: given.leases,
  });

  const atEnd = cleanup.move();
  return { gatewayPort: gateway.port, reload, stop: () => atEnd.disposeAsync() };
}
