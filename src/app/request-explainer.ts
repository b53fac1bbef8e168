import type { Grant } from '../domain/grant.ts';
import type { GrantId, RoomId } from '../domain/ids.ts';
import { openRooms } from '../domain/scope.ts';
import { explain } from '../gateway/explain/explain.ts';
import type { Clock } from '../ports/clock.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { Requests } from '../ports/requests.ts';

/** What explaining requests takes. */
type ExplainerOptions = {
  readonly ledger: Pick<Ledger, 'excluded'>;
  readonly clock: Clock;
  readonly controlRoomId: string;
  /** The rooms in scope as the gateway knows them; null: it does not, or there is none here. */
  readonly remembered: (grantId: GrantId) => ReadonlySet<RoomId> | null;
};

/** Explains requests by the gateway's own deciding steps, from what is known here: the homeserver is asked nothing. */
export function createRequestExplainer({
  ledger,
  clock,
  controlRoomId,
  remembered,
}: ExplainerOptions): Requests {
  return {
    async explain(question, grant) {
      const rooms = remembered(grant.id) ?? (await namedRooms(grant, ledger, controlRoomId as RoomId));
      return explain(question, grant, rooms, clock.now());
    },
  };
}

/**
 * The rooms that the scope names, less those outside every scope. Null: more than the ledger knows decides
 * which they are.
 */
async function namedRooms(
  { scope }: Grant,
  ledger: ExplainerOptions['ledger'],
  controlRoomId: RoomId,
): Promise<ReadonlySet<RoomId> | null> {
  if (scope.rooms === 'all' || scope.by !== undefined || scope.followUpgrades === true) return null;
  const outside = await ledger.excluded();
  return openRooms(scope, [], new Set([controlRoomId, ...outside.map(({ roomId }) => roomId)]));
}
