import { type Permission, nameOf, parsePermission, parseTypePattern } from '../../domain/permission.ts';
import { CAPABILITIES, CAPABILITY } from '../../domain/capability.ts';
import { parseCreatorPattern } from '../../domain/creator.ts';
import { firewall, parseEndpoint } from '../../domain/endpoint-rule.ts';
import { MintwardenError } from '../../domain/errors.ts';
import { parseNetwork } from '../../domain/network.ts';
import type { Policy } from '../../domain/policy.ts';
import type { Preset } from '../../domain/preset.ts';
import { narrow, type Scope, type ScopeLimits } from '../../domain/scope.ts';
import type { MintRequest } from '../../lifecycle/requests.ts';
import { required, type Arguments } from '../arguments.ts';
import { closest } from '../closest.ts';
import { parseList } from './list.ts';
import { parsePermalink } from './permalink.ts';
import { parseRooms } from './room.ts';

/**
 * What the flags of `!mint` say of the scope. A preset says what the holder can do; limits said beside it
 * narrow it further and never widen it.
 * @throws MintwardenError `usage` for what is not understood, or contradicts itself
 */
export function parseScope(
  args: Arguments,
  serverName: string,
  presets: Policy['presets'],
): Required<Pick<MintRequest, 'rooms' | 'can' | 'limits'>> {
  const said = parseLimits(args, serverName);
  const preset = findPreset(args, presets);
  const can = preset?.can ?? parseCan(args);
  checkReadOnly(args, can);
  const rooms = args.values.has('rooms-by') ? 'all' : parseRooms(required(args.values, 'rooms'), serverName);
  if (args.values.has('rooms-by') && args.values.has('rooms'))
    throw usageError(
      '--rooms and --rooms-by both say which rooms.',
      'Name rooms, or who made them: leave out one of the two.',
    );
  if (preset === null) return { rooms, can, limits: said };
  // Following upgrades is the one thing that widens, so it is taken as said.
  const { followUpgrades, ...narrowing } = said;
  const whole: Scope = { v: 1, rooms: 'all', can };
  const {
    v: _v,
    rooms: _rooms,
    can: both,
    ...limits
  } = narrow({ ...whole, ...preset.limits }, { ...whole, ...narrowing });
  return { rooms, can: both, limits: followUpgrades === undefined ? limits : { ...limits, followUpgrades } };
}

function parseCan(args: Arguments): readonly Permission[] {
  const text = args.values.get('can');
  return text === undefined ? ['read'] : parseList('can', text).map(parseTypedPermission);
}

/** Names are taken in any case; types as they stand. */
function parseTypedPermission(text: string): Permission {
  const [name = '', ...rest] = text.split(':');
  const lower = name.toLowerCase();
  const meant = closest(lower, CAPABILITIES);
  if (!(CAPABILITIES as readonly string[]).includes(lower) && meant !== null)
    throw usageError(
      `There is no capability “${name.slice(0, 40)}”.`,
      `Did you mean \`${[meant, ...rest].join(':')}\`? See \`!help capabilities\`.`,
    );
  return parsePermission([lower, ...rest].join(':'));
}

function findPreset(args: Arguments, presets: Policy['presets']): Preset | null {
  const name = args.values.get('preset')?.toLowerCase();
  if (name === undefined) return null;
  const preset = presets.get(name);
  if (preset === undefined)
    throw usageError(
      `There is no preset “${name.slice(0, 40)}”.`,
      `There are ${[...presets.keys()].join(', ')}: see \`!help presets\`.`,
    );
  if (!args.values.has('can')) return preset;
  throw usageError(
    '--preset and --can both say what it can do.',
    `The preset ${name} is \`--can ${preset.can.join(',')}\`: write that out and change it.`,
  );
}

function checkReadOnly(args: Arguments, can: readonly Permission[]): void {
  if (!args.switches.has('read-only')) return;
  const writing = can.find((permission) => CAPABILITY[nameOf(permission)].writes);
  if (writing !== undefined)
    throw usageError(`--read-only contradicts ${writing}, which writes.`, 'Leave out one of the two.');
}

function parseLimits({ values, switches }: Arguments, serverName: string): ScopeLimits {
  const list = <T>(flag: string, parse: (item: string) => T): readonly T[] | undefined => {
    const text = values.get(flag);
    return text === undefined ? undefined : parseList(flag, text).map(parse);
  };
  const by = list('rooms-by', (item) => parseCreatorPattern(linkedCreator(item), serverName));
  const types = list('types', parseTypePattern);
  const from = list('from', parseNetwork);
  const rules = firewall(list('allow', parseEndpoint) ?? [], list('deny', parseEndpoint) ?? []);
  const power = parseWholeNumber(
    values,
    'power',
    /^[-+]?\d{1,15}$/,
    'Write a power level, for example `--power 0`.',
  );
  const uses = parseWholeNumber(
    values,
    'uses',
    /^\+?0*[1-9]\d{0,14}$/,
    'Write a number above zero, for example `--uses 10`.',
  );
  return {
    ...(by === undefined ? {} : { by }),
    ...(types === undefined ? {} : { types }),
    ...(power === undefined ? {} : { power }),
    ...(rules === null ? {} : { rules: [rules] }),
    ...(from === undefined ? {} : { from }),
    ...(uses === undefined ? {} : { uses }),
    ...(switches.has('follow-upgrades') ? { followUpgrades: true } : {}),
  };
}

/** A link names one user: its `*`, where it has one, would mean others. */
function linkedCreator(text: string): string {
  const linked = parsePermalink(text);
  if (linked?.includes('*') === true)
    throw usageError(`“${text.slice(0, 100)}” is not a user.`, 'Write the user’s id.');
  return linked ?? text;
}

function parseWholeNumber(
  values: Arguments['values'],
  flag: string,
  form: RegExp,
  next: string,
): number | undefined {
  const text = values.get(flag);
  if (text === undefined) return undefined;
  // Phones make a minus of a hyphen.
  const plain = text.replace(/^[\u2010-\u2015\u2212]/u, '-');
  if (form.test(plain)) return Number(plain) + 0;
  throw usageError(`“${text.slice(0, 40)}” is no number for --${flag}.`, next);
}

function usageError(sentence: string, next: string): MintwardenError {
  return new MintwardenError('usage', sentence, next);
}
