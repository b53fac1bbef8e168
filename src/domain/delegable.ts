import { unreachable } from './errors.ts';
import type { Capability } from './capability.ts';
import { hasWildcard, matchesPattern } from './wildcard.ts';

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
 * State that decides who gets in, who sees what and how long, runs in others' clients, or has the homeserver
 * ask servers that are named in it (aliases are looked up). Named exactly or not at all: nobody means them by
 * `state` or `m.*`.
 */
const STATE_BY_NAME = [
  'm.room.server_acl',
  'm.room.encryption',
  'm.room.join_rules',
  'm.room.history_visibility',
  'm.room.guest_access',
  'm.room.canonical_alias',
  'm.room.predecessor',
  'org.matrix.msc3946.*',
  'm.room.aliases',
  'm.room.policy',
  'm.room.retention',
  'org.matrix.msc1763.retention',
  'org.matrix.msc4284.policy',
  'm.space.child',
  'm.space.parent',
  'm.policy.rule.*',
  'org.matrix.mjolnir.rule.*',
  'm.room.rule.*',
  'm.widget',
  'm.widgets',
  'im.vector.modular.widgets',
  'm.room.bot.options',
  'm.call*',
  'm.rtc.*',
  'org.matrix.msc3401.*',
  'org.matrix.msc4143.*',
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
 * Events that clients act on, not only show: ciphertext that nobody can look into, calls, what belongs to
 * devices, and state sent as if it were a message. Named exactly or not at all.
 */
const SEND_BY_NAME = [
  ...STATE_BY_NAME,
  'm.room.encrypted',
  'm.room.tombstone',
  'm.room.third_party_invite',
  'm.room.name',
  'm.room.topic',
  'm.room.avatar',
  'm.room.pinned_events',
  'm.room_key*',
  'm.forwarded_room_key*',
  'm.secret.*',
  'm.dummy',
  'org.matrix.msc4075.*',
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

/** How a type may be granted: under a wildcard too, only by its own name, or never. */
export type Delegable = 'freely' | 'by-name' | 'never';

/** Whether a capability may be granted for a type of event or data, whatever else a scope says. */
export function mayGrantType(capability: Capability, type: string): Delegable {
  const isOneOf = (patterns: readonly string[]): boolean =>
    patterns.some((pattern) => matchesPattern(pattern, type));
  switch (capability) {
    case 'send':
      return isOneOf(SEND_NEVER) ? 'never' : isOneOf(SEND_BY_NAME) ? 'by-name' : 'freely';
    // They also need `send`, which has to name the type.
    case 'edit':
    case 'plaintext':
      return isOneOf(SEND_NEVER) ? 'never' : 'freely';
    case 'state':
      return isOneOf(STATE_NEVER) ? 'never' : isOneOf(STATE_BY_NAME) ? 'by-name' : 'freely';
    case 'account-data':
      return isOneOf(ACCOUNT_DATA_NEVER) ? 'never' : 'freely';
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
  return how === 'freely' || (how === 'by-name' && !hasWildcard(pattern));
}
