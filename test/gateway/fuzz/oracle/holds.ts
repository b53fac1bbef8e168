import type { Scope } from '../../../../src/domain/scope.ts';

// Said once more, by hand: nothing of the gateway's own deciding is asked here.

/** What nobody means by a wildcard. */
const BY_NAME: readonly RegExp[] = [
  /^m\.room\.(?:encrypted|tombstone|third_party_invite|name|topic|avatar|aliases|canonical_alias|pinned_events)$/,
  /^m\.room\.(?:server_acl|encryption|join_rules|history_visibility|guest_access|policy|retention|bot\.options)$/,
  /^m\.(?:call|rtc\.|room_key|forwarded_room_key|secret\.|dummy$|space\.|widgets?$|policy\.rule\.|room\.rule\.)/,
];
const STATE_BY_NAME = BY_NAME.slice(1);
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
  const [never, named] =
    name === 'send'
      ? [SEND_NEVER, BY_NAME]
      : name === 'state'
        ? [STATE_NEVER, STATE_BY_NAME]
        : name === 'account-data'
          ? [DATA_NEVER, []]
          : [null, []];
  if (never?.test(type) === true) return false;
  if (
    name !== 'account-data' &&
    name !== 'read' &&
    scope.types?.some((pattern) => fits(pattern, type)) === false
  )
    return false;
  const onlyNamed = named.some((pattern) => pattern.test(type));
  return scope.can.some((permission) => {
    const [own, pattern, ...keys] = permission.split(':');
    if (own !== name) return false;
    if (onlyNamed && pattern !== type) return false;
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
