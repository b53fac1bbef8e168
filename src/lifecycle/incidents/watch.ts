import { MintwardenError } from '../../domain/errors.ts';
import { retryPendingRevocations } from '../revocation/retry-pending.ts';
import { excludeRoom } from '../exclude-room.ts';
import { problemOf } from '../problem.ts';
import type { Services } from '../services.ts';
import { CONTROL_ROOM_INCIDENTS, controlRoomIncident } from './control-room.ts';
import { recordIssuerStatus } from './issuer-status.ts';

const IDLE_MS = 10_000;
const INCIDENT_MS = 3_000;
/** One failed request is no outage. */
const AWAY_AFTER = 2;

/** What is checked besides the services. */
export type Probes = {
  /** Resolves the `disk` incident once there is room again. */
  readonly disk: () => Promise<void>;
};

/** A loop that looks for incidents, more often while one is open. */
export type IncidentWatch = { readonly wake: () => void; readonly stop: () => Promise<void> };

/** Checks once for everything that can be wrong. Never throws. */
export async function detectIncidents(services: Services, probes: Probes): Promise<'answered' | 'away'> {
  await probes
    .disk()
    .catch((error: unknown) =>
      services.log.warn('the disk could not be looked at', { problem: problemOf(error) }),
    );
  await retryPendingRevocations(services);
  const outcomes = await Promise.allSettled([
    services.issuerStatus().then((status) => recordIssuerStatus(services.incidents, status)),
    checkControlRoom(services),
  ]);
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected')
      services.log.debug('a look for incidents failed', { problem: problemOf(outcome.reason) });
  }
  // While the bot is logged out the issuer's answer alone says whether the homeserver is there.
  return outcomes.every((outcome) => outcome.status === 'rejected' && isAway(outcome.reason))
    ? 'away'
    : 'answered';
}

async function checkControlRoom(services: Services): Promise<void> {
  let room = await services.chat.controlRoom();
  if (!room.botJoined) {
    await services.chat.rejoinControlRoom?.();
    room = await services.chat.controlRoom();
  }
  const found = controlRoomIncident(room, services.chat.userId);
  for (const kind of CONTROL_ROOM_INCIDENTS)
    if (kind !== found?.kind) services.incidents.resolve(kind, found === null ? 'resolved' : 'superseded');
  if (found !== null) services.incidents.open(found.kind, found.sentence, found.next);
  // It may be the control room tomorrow: no token opens it meanwhile.
  if (room.replacedBy !== null)
    await excludeRoom(services, { roomId: room.replacedBy, why: 'control', userId: null });
}

function isAway(error: unknown): boolean {
  return error instanceof MintwardenError && error.code === 'homeserver-unreachable';
}

/** Checks now, and then periodically. */
export function watchIncidents(services: Services, probes: Probes): IncidentWatch {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | null = null;
  let unanswered = 0;

  const look = async (): Promise<void> => {
    const outcome = await detectIncidents(services, probes);
    unanswered = outcome === 'away' ? unanswered + 1 : 0;
    if (unanswered === 0) services.incidents.resolve('homeserver-away');
    else if (unanswered >= AWAY_AFTER) {
      services.incidents.open(
        'homeserver-away',
        'The homeserver does not answer.',
        'Look whether it runs, and whether `homeserver.url` leads to it. Everything waiting goes on by itself when it is back.',
      );
    }
  };
  const wake = (): void => {
    clearTimeout(timer);
    if (stopped || running !== null) return;
    running = look()
      .catch((error: unknown) =>
        services.log.error('the watch over incidents failed', { problem: problemOf(error) }),
      )
      .then(() => {
        running = null;
        if (!stopped)
          timer = setTimeout(
            wake,
            services.incidents.current().length > 0 || unanswered > 0 ? INCIDENT_MS : IDLE_MS,
          );
      });
  };
  // One opened elsewhere: look again soon, so that its end is noticed soon.
  const unsubscribe = services.incidents.onChange(({ kind }) => {
    if (kind !== 'opened' || stopped || running !== null) return;
    clearTimeout(timer);
    timer = setTimeout(wake, INCIDENT_MS);
  });
  wake();
  return {
    wake,
    stop: async () => {
      stopped = true;
      unsubscribe();
      clearTimeout(timer);
      await running;
    },
  };
}
