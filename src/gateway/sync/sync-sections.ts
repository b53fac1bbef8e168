import type { Capability } from '../../domain/capability.ts';
import { splitPermission } from '../../domain/permission.ts';
import type { JsonObject } from '../filters/json-shape.ts';
import { holds, ownTypes, type ReadView } from '../filters/read-view.ts';
import { rebuiltEventFilter, sharedTypes } from '../rewrite/event-filter.ts';

const NOTHING: JsonObject = { types: [], not_types: ['*'] };

/** Whether a section's filter lets nothing through. */
export function blocks(section: JsonObject): boolean {
  return section === NOTHING;
}

/** The filters of the sections of a `/sync` that are the subject's own. */
type Sections = {
  readonly presence: JsonObject;
  readonly accountData: JsonObject;
  readonly roomData: JsonObject;
  readonly ephemeral: JsonObject;
};

/**
 * What the homeserver is asked of the subject's own: what the scope opens, less what the holder's filter
 * leaves out. Null where that filter is not understood.
 */
export function personalSections(
  asked: JsonObject,
  room: JsonObject,
  inScope: (room: string) => boolean,
  view: ReadView,
): Sections | null {
  const { scope, subject } = view;
  const of = (capability: Capability, ...types: readonly string[]) => (holds(scope, capability) ? types : []);
  const data = scope.can
    .map(splitPermission)
    .flatMap(({ name, type }) => (name === 'account-data' && type !== null ? [type] : []));
  // Receipts of the subject's own are what brings unread counts down.
  const receipts = [
    ...of('receipts', 'm.receipt'),
    ...of('markers', 'm.receipt'),
    ...of('notifications', 'm.receipt'),
  ].slice(0, 1);
  const accountData = section(asked['account_data'], [...data, ...of('push-rules', 'm.push_rules')], inScope);
  const roomData = section(room['account_data'], [...data, ...ownTypes(view)], inScope);
  const ephemeral = section(room['ephemeral'], [...of('typing', 'm.typing'), ...receipts], inScope);
  const presence = section(asked['presence'], of('presence', 'm.presence'), inScope);
  if (accountData === null || roomData === null || ephemeral === null || presence === null) return null;
  return {
    accountData,
    roomData,
    ephemeral,
    presence: blocks(presence) ? NOTHING : { ...presence, senders: [subject] },
  };
}

function section(
  asked: unknown,
  granted: readonly string[],
  inScope: (room: string) => boolean,
): JsonObject | null {
  if (granted.length === 0) return NOTHING;
  const filter = rebuiltEventFilter(asked ?? {}, inScope);
  if (filter === null) return null;
  const types = filter['types'] as readonly string[] | undefined;
  return {
    ...filter,
    types: types === undefined ? granted : types.flatMap((type) => sharedTypes(type, granted)),
  };
}
