import { permissionCovers } from '../../domain/permission.ts';
import { type Enforcement, needsDevice, unenforced } from '../../domain/enforced.ts';
import { MintwardenError } from '../../domain/errors.ts';
import { lacking, typeAllowed } from '../../domain/scope-checks.ts';
import { canonical, type Scope } from '../../domain/scope.ts';
import { unenforcedSentence } from '../../words/unenforced.ts';
import type { MintRequest } from '../requests.ts';

/**
 * All of a scope but its rooms, in its one form, with nothing in it that says more than it does.
 * @param enforced what the gateway enforces: anything else is refused. Null: for a preview, which shows it
 *   nevertheless
 * @throws MintwardenError `usage`
 */
export function mintTerms(
  request: Pick<MintRequest, 'can' | 'limits' | 'rooms'>,
  enforced: Enforcement | null,
): Omit<Scope, 'rooms'> {
  const scope = canonical({ ...request.limits, v: 1, rooms: 'all', can: request.can ?? ['read'] });
  if (scope.can.length === 0)
    throw refused('It could do nothing.', 'Say what it can do, for example --can read.');
  const [lack] = lacking(scope);
  if (lack !== undefined)
    throw refused(
      `${lack.capability} does nothing without ${lack.needs}.`,
      `Write --can ${[...scope.can, lack.needs].join(',')}`,
    );
  const nothing = (
    [
      ['by', '--rooms-by'],
      ['types', '--types'],
      ['from', '--from'],
    ] as const
  ).find(([part]) => scope[part]?.length === 0);
  if (nothing !== undefined)
    throw refused(
      `Nothing is left of ${nothing[1]}.`,
      'What the preset says and what you say have nothing in common.',
    );
  checkTypes(scope);
  if (scope.followUpgrades === true && request.rooms === 'all') {
    throw refused(
      '--follow-upgrades is for rooms that are named.',
      'Rooms that the user joins later are in this scope by themselves: leave it out.',
    );
  }
  const [device] = needsDevice(scope);
  if (device !== undefined)
    throw refused(`${device} wants a token with a device, and this issuer makes none.`, 'Leave it out.');
  const missing = enforced === null ? [] : unenforced(scope, enforced);
  if (missing.length > 0)
    throw refused(unenforcedSentence(missing), `Leave ${missing.length === 1 ? 'it' : 'them'} out.`);
  const { rooms: _all, ...terms } = scope;
  return terms;
}

/** A capability that `types` leaves no type of is a mistake in one of the two. */
function checkTypes(scope: Scope): void {
  const { types } = scope;
  if (types === undefined) return;
  if (scope.can.includes('react') && !typeAllowed(scope, 'react', 'm.reaction'))
    throw refused(
      'react sends m.reaction, which --types leaves out.',
      `Write --types ${[...types, 'm.reaction'].join(',')}, or no react.`,
    );
  if (!scope.can.some((permission) => /^(?:send|state|react)(?::|$)/.test(permission)))
    throw refused(
      '--types narrows what is sent, and nothing here sends.',
      'To read some types alone, write for example --can read:m.room.message.',
    );
  const unmet = types.find((type) => !isMet(scope, type));
  if (unmet !== undefined)
    throw refused(`--types has ${unmet}, which --can does not grant.`, 'Leave it out, or grant it by name.');
}

/** A wildcard is not looked into: it may well mean a type that is granted. */
function isMet(scope: Scope, type: string): boolean {
  if (type.endsWith('*')) return true;
  return (['send', 'state', 'react'] as const).some((name) =>
    scope.can.some((each) => permissionCovers(each, name, type, null) || each.startsWith(`state:${type}:`)),
  );
}

function refused(sentence: string, next: string): MintwardenError {
  return new MintwardenError('usage', sentence, next);
}
