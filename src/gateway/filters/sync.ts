import type { RoomId } from '../../domain/ids.ts';
import { invalidResponse, isObject, type JsonObject } from './json-shape.ts';
import { contextOf, isShown, project } from './project.ts';
import type { ReadView } from './read-view.ts';
import { syncRule } from './shapes/sync.ts';

/** A filtered `/sync`, and whether there is news in it. */
export type FilteredSync = { readonly body: JsonObject; readonly nextBatch: string; readonly news: boolean };

/**
 * The rooms an answer says the subject is in or invited to: for a scope that can grow, an unknown one is
 * reason to look again.
 */
export function roomIdsInSync(body: unknown): string[] {
  const rooms = isObject(body) && isObject(body['rooms']) ? body['rooms'] : {};
  return [rooms['join'], rooms['invite']].flatMap((section) =>
    isObject(section) ? Object.keys(section) : [],
  );
}

/**
 * A `/sync` as a member of only these rooms would see it; see `syncRule`.
 * @param empty keep rooms with nothing in them, as in a first answer
 * @throws MintwardenError `homeserver-invalid-response`
 */
export function filterSync(
  answer: unknown,
  scope: ReadonlySet<RoomId>,
  empty: boolean,
  view: ReadView,
): FilteredSync {
  const body = project(syncRule(view), answer, contextOf('', scope, empty)) as SyncBody;
  if (!isShown(body)) throw invalidResponse('sync');
  const news =
    body.account_data !== undefined ||
    body.presence !== undefined ||
    Object.values(body.rooms).some((rooms) => Object.keys(rooms).length > 0);
  return { body, nextBatch: body.next_batch, news };
}

type SyncBody = JsonObject & {
  readonly next_batch: string;
  readonly account_data?: unknown;
  readonly presence?: unknown;
  readonly rooms: Readonly<Record<string, JsonObject>>;
};
