import type { Scope } from '../../../../src/domain/scope.ts';

// Said once more, by hand: nothing of the gateway's own deciding is asked here.

/** All that a wildcard, or no type, may mean. */
const SENT_FREELY =
  /^(?:m\.(?:room\.message|sticker|message|file|image|video|audio|voice|location|beacon)|(?:m|org\.matrix\.msc3381)\.poll\.(?:start|response|end)|org\.matrix\.msc3672\.beacon)$/;
const SET_FREELY =
  /^(?:m\.room\.(?:name|topic|avatar|pinned_events|image_pack)|(?:m|org\.matrix\.msc3672)\.beacon_info|im\.ponies\.room_emotes)$/;
const KEPT_FREELY = /^(?:m\.recent_emoji|io\.element\.recent_emoji|im\.vector\.setting\.breadcrumbs)$/;
const APPLICATION = /^(?!m\.|org\.matrix\.|im\.vector\.|io\.element\.)[^.*]+\.[^.*]+\../;
const SEND_NEVER =
  /^m\.(?:reaction$|room\.redaction$|key\.verification\.|room\.create$|room\.member$|room\.power_levels$)/;
const STATE_NEVER = /^m\.room\.(?:create|power_levels|tombstone|member|third_party_invite)$/;
const DATA_NEVER =
  /^(?:m\.(?:ignored_user_list|direct|push_rules|invite_permission.*|secret_storage\..*|cross_signing\..*|megolm_backup\..*|fully_read|marked_unread|tag|widgets|identity_server)|org\.matrix\.msc.*)$/;

/** Whether the capability is held at all, of whatever type. */
export function holds(scope: Scope, ...names: readonly string[]): boolean {
  return scope.can.some((permission) => names.includes(permission.split(':')[0] ?? ''));
}

function fits(pattern: string, word: string): boolean {
  return pattern.endsWith('*') ? word.startsWith(pattern.slice(0, -1)) : pattern === word;
}

/** Whether the capability is held for this type, and key. */
export function holdsType(scope: Scope, name: string, type: string, key: string | null = null): boolean {
  const [never, freely] =
    name === 'send'
      ? [SEND_NEVER, SENT_FREELY]
      : name === 'state'
        ? [STATE_NEVER, SET_FREELY]
        : name === 'account-data'
          ? [DATA_NEVER, KEPT_FREELY]
          : [null, /^/];
  if (never?.test(type) === true) return false;
  if (
    name !== 'account-data' &&
    name !== 'read' &&
    scope.types?.some((pattern) => fits(pattern, type)) === false
  )
    return false;
  return scope.can.some((permission) => {
    const [own, pattern, ...keys] = permission.split(':');
    if (own !== name) return false;
    const isItsOwn = name === 'account-data' && APPLICATION.test(pattern ?? '') && APPLICATION.test(type);
    if (!freely.test(type) && pattern !== type && !isItsOwn) return false;
    if (pattern !== undefined && !fits(pattern, type)) return false;
    return keys.length === 0 || fits(keys.join(':'), key ?? '');
  });
}

/** Whether every type is read. */
export function readsAll(scope: Scope): boolean {
  return scope.can.includes('read');
}

/**
 * Whether a filter asks for events that are read alone; a wildcard within a type is looked at in the answer.
 */
export function asksForRead(filter: unknown, scope: Scope): boolean {
  if (readsAll(scope)) return true;
  const {
    types,
    related_by_senders: senders,
    related_by_rel_types: kinds,
  } = filter as Record<string, unknown>;
  if (senders !== undefined || kinds !== undefined || !Array.isArray(types)) return false;
  return types.every(
    (type) => typeof type === 'string' && (type.slice(0, -1).includes('*') || holdsType(scope, 'read', type)),
  );
}
