import { MintwardenError } from '../../domain/errors.ts';
import { retryRefused } from '../revocation/retry-pending.ts';
import { excludeRoom } from '../exclude-room.ts';
import { problemOf } from '../problem.ts';
import type { World } from '../services.ts';
import { CONTROL_ROOM_TROUBLES, controlRoomTrouble } from './control-room.ts';
import { type IssuerStanding, noteIssuer } from './issuer-status.ts';
import type { Troubles } from './incidents.ts';

const WELL_MS = 10_000;
const TROUBLED_MS = 3_000;
/** One failed request is no outage. */
const AWAY_AFTER = 2;

/** What is looked at besides the world. */
export type Looks = {
  /** @throws MintwardenError where the homeserver gave no usable answer */
  readonly issuer: () => Promise<IssuerStanding>;
  /** Where the disk has room again, ends that trouble. */
  readonly disk: () => Promise<void>;
};

/** A loop that looks for troubles, more often while there is one. */
export type TroublesWatch = { readonly wake: () => void; readonly stop: () => Promise<void> };

/** Looks once at everything that can be wrong. Never throws. */
export async function lookForTroubles(
  world: World,
  troubles: Troubles,
  looks: Looks,
): Promise<'answered' | 'away'> {
  await looks
    .disk()
    .catch((error: unknown) =>
      world.log.warn('the disk could not be looked at', { problem: problemOf(error) }),
    );
  await retryRefused(world);
  const outcomes = await Promise.allSettled([
    looks.issuer().then((standing) => noteIssuer(troubles, standing)),
    lookAtControlRoom(world, troubles),
  ]);
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected')
      world.log.debug('a look for troubles failed', { problem: problemOf(outcome.reason) });
  }
  // While the bot is logged out the issuer's answer alone says whether the homeserver is there.
  return outcomes.every((outcome) => outcome.status === 'rejected' && isAway(outcome.reason))
    ? 'away'
    : 'answered';
}

async function lookAtControlRoom(world: World, troubles: Troubles): Promise<void> {
  let room = await world.chat.controlRoom();
  if (!room.botJoined) {
    await world.chat.rejoinControlRoom?.();
    room = await world.chat.controlRoom();
  }
  const found = controlRoomTrouble(room, world.chat.userId);
  for (const kind of CONTROL_ROOM_TROUBLES)
    if (kind !== found?.kind) troubles.over(kind, found === null ? 'over' : 'gave-way');
  if (found !== null) troubles.begin(found.kind, found.sentence, found.next);
  // It may be the control room tomorrow: no token opens it meanwhile.
  if (room.replacedBy !== undefined)
    await excludeRoom(world, { roomId: room.replacedBy, why: 'control', userId: null });
}

function isAway(error: unknown): boolean {
  return error instanceof MintwardenError && error.code === 'homeserver-unreachable';
}

/** Looks at once, and then again and again. */
export function watchTroubles(world: World, troubles: Troubles, looks: Looks): TroublesWatch {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | null = null;
  let unanswered = 0;

  const look = async (): Promise<void> => {
    const outcome = await lookForTroubles(world, troubles, looks);
    unanswered = outcome === 'away' ? unanswered + 1 : 0;
    if (unanswered === 0) troubles.over('homeserver-away');
    else if (unanswered >= AWAY_AFTER) {
      troubles.begin(
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
        world.log.error('the watch over troubles failed', { problem: problemOf(error) }),
      )
      .then(() => {
        running = null;
        if (!stopped)
          timer = setTimeout(wake, troubles.now().length > 0 || unanswered > 0 ? TROUBLED_MS : WELL_MS);
      });
  };
  // Whoever else has found one: its end must not wait for the next look at leisure.
  const unsubscribe = troubles.onChange(({ kind }) => {
    if (kind !== 'began' || stopped || running !== null) return;
    clearTimeout(timer);
    timer = setTimeout(wake, TROUBLED_MS);
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
