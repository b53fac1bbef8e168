import { unreachable } from './errors.ts';
import type { Capability } from './capability.ts';
import { covers, hasWildcard, matchesPattern } from './wildcard.ts';

/**
 * State that no grant may set, since it gives power that outlives the token, or is another capability's:
 * a room's power levels, its creation, its replacement (it leads members, and a scope that follows
 * upgrades, elsewhere), memberships and invites by third-party id. Nor what is sent: homeservers take it with
 * a state key too, and from room version 11 on they redact by it.
 */
const STATE_NEVER = [
  'm.room.create',
  'm.room.power_levels',
  'm.room.tombstone',
  'm.room.member',
  'm.room.third_party_invite',
  'm.room.redaction',
  'm.reaction',
  'm.room.message',
  'm.room.encrypted',
  'm.sticker',
  'm.key.verification.*',
  'm.room_key*',
  'm.forwarded_room_key*',
  'm.secret.*',
  'm.dummy',
];

/**
 * State that is known to be harmless: it changes what a room is called and shows, and nobody's software obeys it.
 * All other state has to be named exactly: it decides who gets in, who sees what and how long, runs in others'
 * clients, has the homeserver ask servers that are named in it, or configures bots and bridges.
 */
const STATE_FREELY = [
  'm.room.name',
  'm.room.topic',
  'm.room.avatar',
  'm.room.pinned_events',
  'm.beacon_info',
  'org.matrix.msc3672.beacon_info',
  'm.room.image_pack',
  'im.ponies.room_emotes',
];

/** Events that are another capability's, or speak for the subject's identity (verification in a room). */
const SEND_NEVER = [
  'm.reaction',
  'm.room.redaction',
  'm.key.verification.*',
  'm.room.create',
  'm.room.member',
  'm.room.power_levels',
];

/**
 * Events that clients only show: messages, and what belongs to them. All others have to be named exactly:
 * ciphertext that nobody can look into, calls, what belongs to devices, state sent as if it were a message, and
 * whatever some software obeys. Source: spec 1.19 "Instant Messaging" and the modules that use it, MSC1767,
 * MSC3381, MSC3489.
 */
const SEND_FREELY = [
  'm.room.message',
  'm.sticker',
  'm.message',
  'm.file',
  'm.image',
  'm.video',
  'm.audio',
  'm.voice',
  'm.location',
  'm.poll.start',
  'm.poll.response',
  'm.poll.end',
  'org.matrix.msc3381.poll.start',
  'org.matrix.msc3381.poll.response',
  'org.matrix.msc3381.poll.end',
  'm.beacon',
  'org.matrix.msc3672.beacon',
];

/**
 * The subject's own data that no grant reads or writes: whom they ignore, where their private chats are, who
 * may invite them, what rings; secrets and keys; what services and widgets were allowed; and what is
 * another capability's. Source: spec 1.19 "Client config" and the modules that use it, MSC3847 (which invites
 * are ignored), MSC4155, MSC4380, MSC3659, MSC3814, MSC3890.
 */
const ACCOUNT_DATA_NEVER = [
  'm.ignored_user_list',
  'm.direct',
  'm.push_rules',
  'm.invite_permission_config',
  'm.invite_permissions*',
  'org.matrix.msc4155.*',
  'org.matrix.msc4380.*',
  'm.invite_rules',
  'm.policies',
  'org.matrix.msc3847.*',
  'org.matrix.msc3659.*',
  'm.local_notification_settings.*',
  'org.matrix.msc3890.*',
  'm.secret_storage.*',
  'm.cross_signing.*',
  'm.megolm_backup.*',
  'm.key_backup*',
  'm.dehydrated_device*',
  'org.matrix.msc2697.*',
  'org.matrix.msc3814*',
  'm.org.matrix.custom.backup_disabled',
  'm.identity_server',
  'm.accepted_terms',
  'm.widgets',
  'im.vector.setting.allowed_widgets',
  'im.vector.setting.integration_provisioning',
  'm.integration_manager*',
  'm.fully_read',
  'm.marked_unread',
  'com.famedly.marked_unread',
  'm.tag',
];

/** Account data that is known to be harmless: it fills a menu of the subject's own client. */
const ACCOUNT_DATA_FREELY = ['m.recent_emoji', 'io.element.recent_emoji', 'im.vector.setting.breadcrumbs'];

/** Namespaces that many share, with settings in them that decide over the subject. */
const SHARED_NAMESPACES = ['m.', 'org.matrix.', 'im.vector.', 'io.element.'];

/**
 * How a type may be granted: under any wildcard; under one that ends a namespace (`com.example.*`) or by its own
 * name; only by its own name; or never. What nobody decided about is never `freely`.
 */
export type Delegable = 'freely' | 'by-namespace' | 'by-name' | 'never';

/** Whether a capability may be granted for a type of event or data, whatever else a scope says. */
export function mayGrantType(capability: Capability, type: string): Delegable {
  const isOneOf = (patterns: readonly string[]): boolean =>
    patterns.some((pattern) => matchesPattern(pattern, type));
  switch (capability) {
    case 'send':
      return isOneOf(SEND_NEVER) ? 'never' : isOneOf(SEND_FREELY) ? 'freely' : 'by-name';
    // They also need `send`, which has to name the type.
    case 'edit':
    case 'plaintext':
      return isOneOf(SEND_NEVER) ? 'never' : 'freely';
    case 'state':
      return isOneOf(STATE_NEVER) ? 'never' : isOneOf(STATE_FREELY) ? 'freely' : 'by-name';
    // An application keeps as much as it likes under its own name, and it decides over nobody else.
    case 'account-data':
      if (isOneOf(ACCOUNT_DATA_NEVER)) return 'never';
      if (isOneOf(ACCOUNT_DATA_FREELY)) return 'freely';
      return isInNamespace(type) ? 'by-namespace' : 'by-name';
    case 'react':
      return type === 'm.reaction' ? 'freely' : 'never';
    case 'read':
    case 'redact':
    case 'redact-others':
    case 'join':
    case 'leave':
    case 'knock':
    case 'invite':
    case 'kick':
    case 'ban':
    case 'unban':
    case 'receipts':
    case 'typing':
    case 'markers':
    case 'tags':
    case 'media':
    case 'media-any':
    case 'upload':
    case 'profile':
    case 'presence':
    case 'directory':
    case 'notifications':
    case 'push-rules':
    case 'to-device':
    case 'keys':
      return 'freely';
    default:
      return unreachable(capability);
  }
}

/** Whether a pattern, as granted, may stand for this type: a wildcard never means what has to be named. */
export function patternMeans(capability: Capability, pattern: string, type: string): boolean {
  if (!matchesPattern(pattern, type)) return false;
  const how = mayGrantType(capability, type);
  if (how === 'never' || how === 'freely') return how === 'freely';
  return !hasWildcard(pattern) || (how === 'by-namespace' && isInNamespace(pattern));
}

/** Whether all that `narrower` means is meant by `wider`: a wildcard does not hold what it may not stand for. */
export function patternHolds(capability: Capability, wider: string, narrower: string): boolean {
  if (!covers(wider, narrower)) return false;
  if (!hasWildcard(narrower)) return wider === narrower || patternMeans(capability, wider, narrower);
  return capability !== 'account-data' || isInNamespace(wider) || !isInNamespace(narrower);
}

/** Whether there is a type that the pattern may stand for. */
export function meansAnything(capability: Capability, pattern: string): boolean {
  if (!hasWildcard(pattern)) return mayGrantType(capability, pattern) !== 'never';
  const freely = FREELY[capability];
  if (freely === undefined || freely.some((type) => matchesPattern(pattern, type))) return true;
  return capability === 'account-data' && isInNamespace(pattern);
}

/** The types known to be harmless that a pattern means, of the capabilities that have such a list. */
export function harmlessTypes(capability: Capability, pattern: string): readonly string[] {
  return (FREELY[capability] ?? []).filter((type) => matchesPattern(pattern, type));
}

const FREELY: Readonly<Partial<Record<Capability, readonly string[]>>> = {
  send: SEND_FREELY,
  state: STATE_FREELY,
  'account-data': ACCOUNT_DATA_FREELY,
};

/** Whether a type, or all that a wildcard means, is in the namespace of one application: `com.example.` */
function isInNamespace(text: string): boolean {
  return /^[^.*]+\.[^.*]+\../.test(text) && !SHARED_NAMESPACES.some((shared) => text.startsWith(shared));
}
