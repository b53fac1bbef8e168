import { flag, switchFlag, type Flag } from '../command-description.ts';

/** What `!mint` may be told, in the order of help. */
export const MINT_FLAGS: readonly Flag[] = [
  {
    ...flag(
      'rooms',
      'list',
      'ROOMS',
      'what it can see: ids, beginnings of ids, aliases or links, with commas between them; or all',
    ),
    required: true,
    alternative: 'rooms-by',
  },
  switchFlag('read-only', 'it can read and nothing else; so it is also if not said'),
  flag('can', 'list', 'CAPABILITIES', 'what it can do, with commas between; see !help capabilities'),
  flag('ttl', 'value', 'TIME', 'how long it lives: 30m, 1h30m, 2d'),
  flag('to', 'value', 'USER', 'who gets the token, instead of you'),
  flag('reason', 'text', 'TEXT', 'why; the user it speaks for reads this'),
  switchFlag('dry-run', 'show what would be made, and make nothing'),
  flag(
    'rooms-by',
    'list',
    'USERS',
    'instead of --rooms: every room that one of these made, later ones too; @bot, @bridge_*',
  ),
  flag('preset', 'value', 'NAME', 'a named answer to --can; see !help presets'),
  flag('types', 'list', 'TYPES', 'of what it sends, only events of these types'),
  flag('power', 'value', 'LEVEL', 'it acts as if the user had at most this power level'),
  flag('allow', 'text', 'ENDPOINTS', 'only these endpoints: PUT /_matrix/client/v3/rooms/*/send/**, …'),
  flag('deny', 'text', 'ENDPOINTS', 'none of these endpoints, whatever --allow says'),
  flag('from', 'list', 'NETWORKS', 'where requests may come from: 10.0.0.0/8, 2001:db8::/32'),
  flag('uses', 'value', 'COUNT', 'how many requests it is good for'),
  switchFlag('follow-upgrades', 'when a room is replaced, the new one is in scope too'),
];
