import type { RoomId } from '../../domain/ids.ts';
import { allows, type Scope } from '../../domain/scope.ts';
import { type GatewayResponse, FORBIDDEN, ok } from '../http/response.ts';
import { filterEvent } from './event.ts';
import { ALL_TYPES } from './readable-types.ts';
import { PROFILE_FIELDS } from './profile.ts';
import { isObject, optionalObject, requireArray, requireObject, pick } from './json-shape.ts';
import type { AnswerFilter } from './answer-filter.ts';

/** `/joined_rooms`: those in scope. */
export const joinedRooms: AnswerFilter = (body, rooms) => {
  const joined = requireArray(requireObject(body, 'rooms')['joined_rooms'], 'joined_rooms');
  return ok({ joined_rooms: joined.filter((room) => rooms.has(room as RoomId)) });
};

/** The rooms `/joined_rooms` speaks of. */
export function roomIdsInJoinedRooms(body: unknown): string[] {
  const joined = isObject(body) ? body['joined_rooms'] : undefined;
  return Array.isArray(joined) ? (joined as unknown[]).filter((room) => typeof room === 'string') : [];
}

/** Whether the subject is joined, from their own member event: the answer to a join that changes nothing. */
export function alreadyJoinedFilter(roomId: string): AnswerFilter {
  return (body) => {
    const member = filterEvent(requireObject(body, 'event'), roomId, 'in-event', ALL_TYPES);
    if (!isObject(member?.['content']) || member['content']['membership'] !== 'join') return FORBIDDEN;
    return ok({ room_id: roomId, event_id: member['event_id'] });
  };
}

/**
 * The specification's versions that the catalogue was held against: a later one may have operations nobody
 * decided about.
 */
const NEWEST = 19;
const OLD = ['r0.0.1', 'r0.1.0', 'r0.2.0', 'r0.3.0', 'r0.4.0', 'r0.5.0', 'r0.6.0', 'r0.6.1'];
const SERVED = new Set([...OLD, ...Array.from({ length: NEWEST }, (_, index) => `v1.${index + 1}`)]);
/**
 * What we serve of what is, or was, not in the specification. Sliding sync and delayed events are not among
 * it.
 */
const UNSTABLE = [
  'org.matrix.msc4222',
  'org.matrix.msc3440.stable',
  'org.matrix.msc3030',
  'org.matrix.msc3771',
  'uk.tcpip.msc4133.stable',
  'org.matrix.msc3916.stable',
];

/**
 * `/versions`: the specification's versions that are served; of unstable features only those that are served.
 */
export const versions = versionsWith(UNSTABLE);

/** The same for tokens that have a device: sliding sync is served to those. */
export const versionsForDevices = versionsWith([...UNSTABLE, 'org.matrix.simplified_msc3575']);

function versionsWith(served: readonly string[]): AnswerFilter {
  return (body) => projectVersions(body, served);
}

function projectVersions(body: unknown, served: readonly string[]): GatewayResponse {
  const said = requireObject(body, 'versions');
  const list = requireArray(said['versions'], 'versions').filter((one) => SERVED.has(one as string));
  const features = optionalObject(said['unstable_features'], 'unstable_features');
  return ok({
    versions: list,
    unstable_features: Object.fromEntries(
      served.filter((name) => features[name] === true).map((name) => [name, true]),
    ),
  });
}

const OFF = { enabled: false };

/**
 * `/capabilities` as a scope has them: the room versions; name and picture where the scope lets them be
 * changed and the homeserver does too (spec 1.19, "Capabilities negotiation"); a plain no to what else an
 * account could change about itself.
 */
export function capabilitiesFilter(scope: Scope): AnswerFilter {
  return (body) => {
    const said = optionalObject(requireObject(body, 'capabilities')['capabilities'], 'capabilities');
    const known = optionalObject(said['m.room_versions'], 'm.room_versions');
    const versions = Object.entries(optionalObject(known['available'], 'available')).filter(
      ([, state]) => typeof state === 'string',
    );
    const may = (name: string) => ({
      enabled: allows(scope, 'profile') && optionalObject(said[name], name)['enabled'] !== false,
    });
    const fields = may('m.profile_fields');
    return ok({
      capabilities: {
        'm.room_versions': { ...pick(known, { default: 'text' }), available: Object.fromEntries(versions) },
        'm.change_password': OFF,
        'm.set_displayname': may('m.set_displayname'),
        'm.set_avatar_url': may('m.set_avatar_url'),
        'm.profile_fields': fields.enabled ? { ...fields, allowed: PROFILE_FIELDS } : fields,
        'm.3pid_changes': OFF,
        'm.get_login_token': OFF,
      },
    });
  };
}

/** `/media/config`: how large an upload may be. */
export const mediaConfig: AnswerFilter = (body) =>
  ok(pick(requireObject(body, 'configuration'), { 'm.upload.size': 'count' }));
