import { type Capability, CAPABILITY, isCapability } from './capability.ts';
import { mayGrantType, meansAnything, patternHolds, patternMeans } from './delegable.ts';
import { MintwardenError } from './errors.ts';
import { compareText, covers, isPattern, minimal, matchesPattern, intersect } from './wildcard.ts';

/**
 * A capability as granted: `name`, `name:type` or `name:type:key`. A type or key may end in `*`, which
 * stands for any ending. Without a type every type is meant, without a key every key; `state:m.room.topic:`
 * is the empty key alone. A type that has a `:` in it cannot be named.
 */
export type Permission = Capability | `${Capability}:${string}`;

/** An permission, taken apart. Null: any. */
export type PermissionParts = {
  readonly name: Capability;
  readonly type: string | null;
  readonly key: string | null;
};

const MAX_LENGTH = 255;
/** Nothing that cannot be seen, or would part words in a command. */
const ODD = /[\p{C}\p{Z},]/u;

/**
 * What somebody asks for, in its one spelling.
 * @throws MintwardenError `usage` for what is not in the closed set or may never be granted
 */
export function parsePermission(text: string): Permission {
  const permission = parseStoredPermission(text);
  const { name, type } = splitPermission(permission);
  if (type !== null && !meansAnything(name, type))
    throw refused(
      `${name}:${type} would mean nothing: types that begin so are granted by name alone.`,
      'Name each of them, without a `*`.',
    );
  return permission;
}

/**
 * The same for what was granted before: a wildcard that means nothing any more stands for nothing.
 * @throws MintwardenError `usage`
 */
export function parseStoredPermission(text: string): Permission {
  const [name = '', ...rest] = text.split(':');
  if (!isCapability(name))
    throw refused(`There is no capability “${name.slice(0, 40)}”.`, 'See `!help capabilities`.');
  const { takes } = CAPABILITY[name];
  const type = rest[0] ?? null;
  const key = rest.length > 1 ? rest.slice(1).join(':') : null;
  if (type === null && takes === 'a-type')
    throw refused(`${name} needs a type.`, `Write for example \`${name}:com.example.settings\`.`);
  if (type !== null && takes === 'nothing')
    throw refused(`${name} takes no type.`, `Write \`${name}\` alone.`);
  if (key !== null && takes !== 'type-and-key')
    throw refused(`${name} takes no state key.`, `Write \`${name}:${type ?? ''}\`.`);
  if (type !== null) checkType(name, type);
  if (key !== null && ((key !== '' && !isPattern(key)) || key.length > MAX_LENGTH || ODD.test(key)))
    throw refused(`“${key.slice(0, 60)}” is no state key.`, 'A `*` may stand at its end alone.');
  return print({ name, type, key });
}

/**
 * A type of event, or the beginning of one with a `*` after it.
 * @throws MintwardenError `usage`
 */
export function parseTypePattern(text: string): string {
  if (isPattern(text) && text.length <= MAX_LENGTH && !ODD.test(text) && text.isWellFormed()) return text;
  throw refused(
    `“${text.slice(0, 60)}” is no event type.`,
    'Write for example `m.room.message` or `m.room.*`; a `*` may stand at its end alone.',
  );
}

function checkType(name: Capability, type: string): void {
  parseTypePattern(type);
  if (type === '*' && CAPABILITY[name].takes === 'a-type')
    throw refused(`${name} needs types by name.`, `Write for example \`${name}:com.example.*\`.`);
  if (mayGrantType(name, type) === 'never')
    throw refused(
      `${name}:${type} is never granted.`,
      name === 'send' && type === 'm.reaction'
        ? 'Reactions are a capability of their own: `react`.'
        : name === 'send' && type === 'm.room.redaction'
          ? 'Redactions are a capability of their own: `redact`.'
          : 'Leave it out.',
    );
}

function refused(sentence: string, next: string): MintwardenError {
  return new MintwardenError('usage', sentence, next);
}

/** Its one spelling: a wildcard that means any is left out. */
function print({ name, type, key }: PermissionParts): Permission {
  const anyKey = key === null || key === '*';
  if (anyKey && (type === null || type === '*')) return name;
  return anyKey ? `${name}:${type ?? '*'}` : `${name}:${type ?? '*'}:${key}`;
}

/** Takes an permission apart. For one that `parsePermission` made. */
export function splitPermission(permission: Permission): PermissionParts {
  const [name, type, ...key] = permission.split(':');
  return { name: name as Capability, type: type ?? null, key: key.length === 0 ? null : key.join(':') };
}

/** The name of an permission's capability. */
export function nameOf(permission: Permission): Capability {
  const colon = permission.indexOf(':');
  return (colon === -1 ? permission : permission.slice(0, colon)) as Capability;
}

/** Whether all that `b` allows is allowed by `a`. `read` of everything includes the media shown. */
function within(a: Permission, b: Permission): boolean {
  if (a === 'read' && b === 'media') return true;
  const one = splitPermission(a);
  const other = splitPermission(b);
  return one.name === other.name && holdsType(one, other) && covers(one.key ?? '*', other.key ?? '*');
}

function holdsType(wider: PermissionParts, narrower: PermissionParts): boolean {
  return patternHolds(narrower.name, wider.type ?? '*', narrower.type ?? '*');
}

/** What two permissions share: a type from the narrower, a key from the narrower. Null: nothing. */
function both(a: Permission, b: Permission): Permission | null {
  if (within(a, b)) return b;
  if (within(b, a)) return a;
  const one = splitPermission(a);
  const other = splitPermission(b);
  if (one.name !== other.name) return null;
  const type = holdsType(one, other) ? other.type : holdsType(other, one) ? one.type : undefined;
  const key = narrowest(one.key, other.key);
  return type === undefined || key === undefined ? null : print({ name: one.name, type, key });
}

function narrowest(a: string | null, b: string | null): string | null | undefined {
  if (covers(a ?? '*', b ?? '*')) return b;
  return covers(b ?? '*', a ?? '*') ? a : undefined;
}

/** The same permissions in their one form. */
export function minimalPermissions(permissions: readonly Permission[]): readonly Permission[] {
  return minimal(permissions, within, (permission) => permission);
}

/** Exactly what both lists allow. */
export function intersectPermissions(
  a: readonly Permission[],
  b: readonly Permission[],
): readonly Permission[] {
  return minimalPermissions(intersect(a, b, both));
}

/**
 * Whether the permission is of this capability and means this type and key. A null key: there is none, or none
 * yet.
 */
export function permissionCovers(
  permission: Permission,
  name: Capability,
  type: string,
  key: string | null,
): boolean {
  if (permission === 'read' && name === 'media') return true;
  if (nameOf(permission) !== name) return false;
  const parts = splitPermission(permission);
  if (!patternMeans(name, parts.type ?? '*', type)) return false;
  return parts.key === null || (key !== null && matchesPattern(parts.key, key));
}

/** In the order of the closed set, for people. */
export function sortPermissions(permissions: readonly Permission[]): readonly Permission[] {
  const places = Object.keys(CAPABILITY);
  return permissions.toSorted(
    (a, b) => places.indexOf(nameOf(a)) - places.indexOf(nameOf(b)) || compareText(a, b),
  );
}
