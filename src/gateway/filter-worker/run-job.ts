import type { RoomId } from '../../domain/ids.ts';
import type { JsonObject } from '../../domain/json.ts';
import type { GatewayResponse } from '../http/response.ts';
import { unlessAborted } from '../http/unless-aborted.ts';
import type { FilterJob } from './filter-job.ts';

type Rooms = ReadonlySet<RoomId> | null;
const NO_CREATE_EVENTS: ReadonlyMap<string, JsonObject> = new Map();

/**
 * Takes a job through its steps, and releases it.
 * @param roomsFor the rooms in scope for an answer with these rooms; null: the grant is over
 * @returns null where the grant is over
 * @throws the reason of the signal when it is aborted; MintwardenError `homeserver-invalid-response`
 */
export async function runFilterJob(
  job: FilterJob,
  signal: AbortSignal,
  roomsFor: (roomIds: readonly string[]) => Rooms | Promise<Rooms>,
): Promise<GatewayResponse | null> {
  try {
    const rooms = await roomsFor(await unlessAborted(job.roomIds(), signal));
    if (rooms === null) return null;
    await unlessAborted(job.filter(rooms, false), signal);
    return await unlessAborted(job.response(NO_CREATE_EVENTS), signal);
  } finally {
    job.release();
  }
}
