import type { Config } from '../../config/index.ts';
import { type TroubleKind, TROUBLES } from '../../domain/trouble.ts';
import { heldSentence } from '../../lifecycle/anchors/held.ts';
import type { World } from '../../lifecycle/world.ts';
import { exposition, numbersOf } from '../../telemetry/metrics/exposition.ts';
import { serviceMetrics } from '../../telemetry/metrics/service-metrics.ts';
import type { ConfiguredGateway } from '../gateway.ts';
import { type Monitoring, type NotReady, startMonitoring } from './listener.ts';

/** What is watched. */
export type Watched = {
  readonly world: World;
  readonly gateway: ConfiguredGateway;
  readonly version: string;
  /** Epoch ms; 0: never. */
  readonly syncedAt: () => number;
  readonly reapedAt: () => number;
};

/** The bot asks at least every 30 s; twice that without an answer is trouble. */
const SYNC_WITHIN_MS = 75_000;
/** The reaper looks at least every 30 s. */
const REAP_WITHIN_MS = 90_000;

/** The log says more, with the names that belong to it. */
const SENTENCES: Readonly<Record<TroubleKind, string>> = {
  'homeserver-away': 'The homeserver does not answer.',
  'bot-logged-out': 'The homeserver does not know the bot’s access token any more.',
  'bot-stopped': 'The bot is being started anew.',
  'issuer-logged-out': 'The homeserver does not know the issuer account’s access token any more.',
  'issuer-not-admin': 'The issuer account is no server administrator any more.',
  'control-room-lost': 'The bot is not in the control room any more.',
  'control-room-replaced': 'The control room was upgraded to another room.',
  'control-room-exposed': 'The control room is not private.',
  disk: 'The disk of the state folder does not take what is written.',
};

/**
 * Listens for those who watch, where the configuration says so. Null: nowhere.
 * @throws MintwardenError `configuration` where it cannot listen
 */
export async function watchedService(config: Config, watched: Watched): Promise<Monitoring | null> {
  const { listen } = config.monitoring;
  if (listen === null) return null;
  const { world, gateway } = watched;
  const metrics = serviceMetrics({
    version: watched.version,
    now: () => world.clock.now(),
    backlog: (now) => world.ledger.backlog(now),
    troubles: { all: TROUBLES, now: () => world.troubles?.now().map(({ kind }) => kind) ?? [] },
    held: () => (world.held?.() ?? null) !== null,
    syncedAt: watched.syncedAt,
    reapedAt: watched.reapedAt,
  });
  return startMonitoring(listen, {
    notReady: () => notReady(watched),
    metrics: async () => {
      const [gateways] = await Promise.all([gateway.numbers(), metrics.look()]);
      return exposition([await numbersOf(metrics.registry), ...gateways]);
    },
  });
}

/** What keeps the service from doing all its work, in sentences without a name in them. */
async function notReady({ world, syncedAt, reapedAt }: Watched): Promise<readonly NotReady[]> {
  const now = world.clock.now();
  const held = world.held?.() ?? null;
  const written = await world.ledger.counts().then(
    () => true,
    () => false,
  );
  return [
    ...(world.troubles?.now().map(({ kind }) => ({ kind, sentence: SENTENCES[kind] })) ?? []),
    ...(held === null ? [] : [{ kind: held.kind, sentence: heldSentence(held) }]),
    ...(written ? [] : [{ kind: 'ledger', sentence: 'The ledger cannot be read.' }]),
    ...(now - syncedAt() < SYNC_WITHIN_MS
      ? []
      : [{ kind: 'sync', sentence: 'The homeserver has not answered the bot’s sync for a while.' }]),
    ...(now - reapedAt() < REAP_WITHIN_MS ? [] : [{ kind: 'reaper', sentence: 'What is due has not been looked at for a while.' }]),
  ];
}
