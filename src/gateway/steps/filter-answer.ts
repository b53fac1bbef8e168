import type { RoomId } from '../../domain/ids.ts';
import type { FilterJob } from '../filter-worker/filter-job.ts';
import { runFilterJob } from '../filter-worker/run-job.ts';
import { type GatewayResponse, UNKNOWN_TOKEN } from '../http/response.ts';
import { referencesInEvents } from '../media/references-in-answer.ts';
import type { RequestContext } from '../request/context.ts';
import { requireAccess } from '../request/access.ts';
import type { ForwardPlan } from '../request/plan.ts';
import type { GatewayServices } from '../request/services.ts';
import { responseForError } from '../upstream/ask.ts';
import { roomsInScope } from '../upstream/rooms-in-scope.ts';

/** Shows of the homeserver's answer what is in scope, in place or, where it is large, in the worker thread. */
export function filterAnswer(
  context: RequestContext,
  services: GatewayServices,
): undefined | Promise<undefined> {
  const { plan, received } = context;
  if (plan?.kind !== 'forward' || received === null) return undefined;
  context.received = null;
  if (received.large !== undefined) return filterLarge(context, services, plan, received.large);
  const access = requireAccess(context);
  if (received.filtered !== undefined) return answer(context, services, received.filtered);
  try {
    const rooms =
      plan.endpoint.roomsIn === undefined
        ? access.rooms
        : roomsInScope(services.accessControl, access, plan.endpoint.roomsIn(received.got), context.signal);
    if (rooms instanceof Promise)
      return rooms
        .then((now) => show(context, services, plan, received.got, now))
        .catch((error: unknown) => fail(context, error));
    return show(context, services, plan, received.got, rooms);
  } catch (error) {
    return fail(context, error);
  }
}

function show(
  context: RequestContext,
  { media }: GatewayServices,
  plan: ForwardPlan,
  body: unknown,
  rooms: ReadonlySet<RoomId> | null,
): undefined {
  const response = rooms === null ? UNKNOWN_TOKEN : plan.filter(body, rooms);
  context.result = response;
  const { eventsIn } = plan.endpoint;
  if (eventsIn === undefined || response.status !== 200) return undefined;
  media.remember(requireAccess(context), () =>
    referencesInEvents(eventsIn(response.body, plan.call), (plan.call.params['roomId'] ?? '') as RoomId),
  );
  return undefined;
}

/** Answers with what was filtered over its bytes or in the worker. */
function answer(context: RequestContext, { media }: GatewayServices, response: GatewayResponse): undefined {
  context.result = response;
  const { mediaReferences } = response;
  if (mediaReferences !== undefined && mediaReferences.length > 0 && response.status === 200)
    media.remember(requireAccess(context), () => mediaReferences);
}

async function filterLarge(
  context: RequestContext,
  services: GatewayServices,
  plan: ForwardPlan,
  job: FilterJob,
): Promise<undefined> {
  const access = requireAccess(context);
  try {
    const { signal } = context;
    const response =
      (await runFilterJob(job, signal, (roomIds) =>
        roomsInScope(services.accessControl, access, roomIds, signal),
      )) ?? UNKNOWN_TOKEN;
    answer(context, services, response);
  } catch (error) {
    fail(context, error);
  }
  return undefined;
}

/** An answer that is not what the specification says is a 502. @throws everything else */
function fail(context: RequestContext, error: unknown): undefined {
  if (context.abortReason !== null) throw error;
  context.result = responseForError(error);
  return undefined;
}
