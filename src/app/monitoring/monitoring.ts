import type { Config } from '../../config/index.ts';
import { type IncidentKind, INCIDENT_KINDS } from '../../domain/incident.ts';
import { lockdownSentence } from '../../lifecycle/lockdown.ts';
import type { Services } from '../../lifecycle/services.ts';
import { exposition, numbersOf } from '../../telemetry/metrics/exposition.ts';
import {
  type ServiceMetrics,
  serviceMetrics,
  type ServiceSources,
} from '../../telemetry/metrics/service-metrics.ts';
import type { RunningGateway } from '../gateway.ts';
import { type MonitoringServer, type ReadinessProblem, startMonitoringServer } from './listener.ts';

/** What is watched. */
export type MonitoredService = {
  readonly services: Services;
  readonly gateway: Pick<RunningGateway, 'numbers'>;
  /** Epoch ms; 0: never. */
  readonly syncedAt: () => number;
  readonly reapedAt: () => number;
};

/** The service as those see it who watch it. */
export type Monitoring = {
  /** Where the rest of the service counts what it does. */
  readonly metrics: ServiceMetrics;
  /** Null: nobody listens. */
  readonly port: number | null;
  /** It works: from now on this is what is looked at. */
  started(watched: MonitoredService): void;
  /** It is about to end: there is nothing left to look at. */
  ending(): void;
  close(): Promise<void>;
};

/** The bot asks at least every 30 s; twice that without an answer is trouble. */
const MAX_SYNC_AGE_MS = 65_000;
/** The reaper looks at least every 30 s. */
const MAX_REAP_AGE_MS = 90_000;

const STARTING: ReadinessProblem = {
  kind: 'starting',
  sentence: 'Mintwarden is starting. Where that lasts, it waits for the homeserver: the log says so.',
};
const ENDING: ReadinessProblem = { kind: 'ending', sentence: 'Mintwarden is ending.' };

/** The log says more, with the names that belong to it. */
const SENTENCES: Readonly<Record<IncidentKind, string>> = {
  'homeserver-away': 'The homeserver does not answer.',
  'bot-logged-out': 'The homeserver does not know the bot’s access token any more.',
  'bot-stopped': 'The bot is being started again.',
  'issuer-logged-out': 'The homeserver does not know the issuer account’s access token any more.',
  'issuer-not-admin': 'The issuer account is no server administrator any more.',
  'control-room-lost': 'The bot is not in the control room any more.',
  'control-room-replaced': 'The control room was upgraded to another room.',
  'control-room-exposed': 'The control room is not private.',
  disk: 'The disk of the state folder does not take what is written.',
  'filters-differ': 'The two filters of large answers showed different things.',
};

/**
 * Starts the listener, if one is configured. Call it before the service starts, so that waiting for the
 * homeserver is visible too.
 * @throws MintwardenError `configuration` where it cannot listen
 */
export async function startMonitoring(config: Config, version: string): Promise<Monitoring> {
  const { listen, hosts } = config.monitoring;
  const metrics = serviceMetrics(version);
  let watched: MonitoredService | null = null;
  let unless = STARTING;

  const notReady = async (): Promise<readonly ReadinessProblem[]> =>
    watched === null ? [unless] : readinessProblems(watched);
  const scrape = async (): Promise<string> => {
    const [gateways, wrong] = await Promise.all([watched?.gateway.numbers() ?? [], notReady()]);
    await metrics.collect(watched === null ? null : metricSources(watched), wrong.length === 0);
    return exposition([await numbersOf(metrics.registry), ...gateways]);
  };
  const monitoring: MonitoringServer | null =
    listen === null ? null : await startMonitoringServer({ ...listen, hosts }, { notReady, metrics: scrape });
  return {
    metrics,
    port: monitoring?.port ?? null,
    started: (now) => void (watched = now),
    ending() {
      watched = null;
      unless = ENDING;
    },
    close: async () => monitoring?.close(),
  };
}

function metricSources({ services, syncedAt, reapedAt }: MonitoredService): ServiceSources {
  return {
    now: () => services.clock.now(),
    backlog: (now) => services.ledger.backlog(now),
    incidents: {
      all: INCIDENT_KINDS,
      now: () => services.incidents.current().map(({ kind }) => kind),
    },
    held: () => services.lockdown() !== null,
    syncedAt,
    reapedAt,
  };
}

/** What keeps the service from doing all its work, in sentences without a name in them. */
async function readinessProblems({
  services,
  syncedAt,
  reapedAt,
}: MonitoredService): Promise<readonly ReadinessProblem[]> {
  const now = services.clock.now();
  const held = services.lockdown();
  const read = await services.ledger.counts().then(
    () => true,
    () => false,
  );
  return [
    ...(services.incidents.current().map(({ kind }) => ({ kind, sentence: SENTENCES[kind] })) ?? []),
    ...(held === null ? [] : [{ kind: held.kind, sentence: lockdownSentence(held) }]),
    ...(read ? [] : [{ kind: 'ledger', sentence: 'The ledger cannot be read.' }]),
    ...(now - syncedAt() < MAX_SYNC_AGE_MS
      ? []
      : [
          {
            kind: 'sync',
            sentence: 'The homeserver has not answered the bot’s sync for more than a minute.',
          },
        ]),
    ...(now - reapedAt() < MAX_REAP_AGE_MS
      ? []
      : [{ kind: 'reaper', sentence: 'What is due has not been looked at for a while.' }]),
  ];
}
